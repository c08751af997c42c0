import { useMemo } from 'preact/hooks'
import { data } from '../data.js'
import { MAX_NOTIFICATIONS, moreNotifications } from '../figures.js'
import { FilterBar } from '../parts/filter-bar.js'
import { NotificationTable } from '../parts/notification-table.js'
import { useStore } from '../store.js'
import { t } from '../text.js'

export function NotificationsView() {
  const page = useStore(data, state => state.notifications)
  const flow = useStore(data, state => state.flow)
  const pipelines = useMemo(() => flow?.pipelines.map(({ id }) => id) ?? [], [flow])
  return (
    <>
      <h1>{t('tab.notifications')}</h1>
      <FilterBar pipelines={pipelines} />
      <section class="panel">
        <NotificationTable rows={page?.items} />
        {page?.next !== undefined && (
          <p class="more">
            {page.items.length < MAX_NOTIFICATIONS ? (
              <button type="button" onClick={moreNotifications}>
                {t('more')}
              </button>
            ) : (
              t('list.older')
            )}
          </p>
        )}
      </section>
    </>
  )
}
