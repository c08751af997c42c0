import { useMemo } from 'preact/hooks'
import { data } from '../data.js'
import { severityClass, shown } from '../filter.js'
import { AlertLine } from '../parts/alert-row.js'
import { Bars } from '../parts/bars.js'
import { Figures } from '../parts/figures.js'
import { FilterBar } from '../parts/filter-bar.js'
import { linkTo, open, setFilters } from '../parts/go.js'
import { Icon } from '../parts/icon.js'
import { NotificationTable } from '../parts/notification-table.js'
import { severityText } from '../parts/severity.js'
import { Timeline } from '../parts/timeline.js'
import { VirtualList } from '../parts/virtual-list.js'
import { filterCount, SORTS, toggled } from '../route.js'
import { useStore } from '../store.js'
import { number, t } from '../text.js'

const RECENT = 8

/** The dashboard: what is wrong now, and what happened lately. */
export function AlertsView() {
  const summary = useStore(data, state => state.summary)
  const filters = useStore(data, state => state.route.filters)
  const now = useStore(data, state => Math.floor(state.now / 60_000) * 60_000)
  const notifications = useStore(data, state => state.notifications)
  const flow = useStore(data, state => state.flow)
  const pipelines = useMemo(() => flow?.pipelines.map(({ id }) => id) ?? [], [flow])
  return (
    <>
      <h1 class="sr">{t('tab.alerts')}</h1>
      <FilterBar pipelines={pipelines} />
      <Figures summary={summary} />
      {summary ? (
        <Timeline
          summary={summary}
          now={now}
          onRange={(from, to) => setFilters({ range: `${from}-${to}` })}
        />
      ) : (
        <section class="panel timeline waiting" />
      )}
      <div class="columns">
        <div class="shares">
          <Bars
            title={t('by.severity')}
            top={summary?.bySeverity}
            chosen={filters.severity}
            name={severityText}
            look={severityClass}
            onToggle={value => setFilters(toggled(filters, 'severity', value))}
          />
          <Bars
            title={t('by.message')}
            top={summary?.byMessage}
            chosen={summary?.byMessage.items.some(({ name }) => name === filters.text) ? [filters.text] : []}
            onToggle={value => setFilters({ text: value === filters.text ? '' : value })}
          />
          <Bars
            title={t('by.host')}
            top={summary?.byHost}
            chosen={filters.host}
            onToggle={value => setFilters(toggled(filters, 'host', value))}
          />
        </div>
        <List />
        <section class="panel recent" aria-labelledby="recent-title">
          <div class="panel-head">
            <h2 id="recent-title">{t('notifications.recent')}</h2>
            <a href={linkTo('notifications')}>{t('notifications.all')}</a>
          </div>
          <NotificationTable rows={notifications?.items.slice(0, RECENT)} />
        </section>
      </div>
    </>
  )
}

function List() {
  const filters = useStore(data, state => state.route.filters)
  const active = useStore(data, state => state.alerts)
  const ended = useStore(data, state => state.ended)
  const endedMore = useStore(data, state => state.endedMore)
  const loaded = useStore(data, state => state.alertsLoaded)
  const total = useStore(data, state => state.activeTotal)
  const isActive = filters.state === 'active'
  const rows = useMemo(
    () => shown(isActive ? active.values() : (ended ?? []), filters),
    [isActive, active, ended, filters],
  )
  const missing = isActive ? total - active.size : 0
  const isLoading = isActive ? !loaded : ended === undefined
  return (
    <section class="panel list" aria-labelledby="list-title">
      <div class="panel-head">
        <h2 id="list-title">
          {t(isActive ? 'list.active' : 'list.ended')}{' '}
          <span class="count">
            {isLoading
              ? ''
              : rows.length === active.size || !isActive
                ? number(rows.length)
                : t('list.of', { n: rows.length, total: active.size })}
          </span>
        </h2>
        <div class="tools">
          <fieldset class="either" aria-label={t('list.state')}>
            {(['active', 'ended'] as const).map(state => (
              <button
                key={state}
                type="button"
                aria-pressed={filters.state === state}
                onClick={() => setFilters({ state })}
              >
                {t(`state.${state}`)}
              </button>
            ))}
          </fieldset>
          <select
            aria-label={t('list.sort')}
            value={filters.sort}
            onChange={event => setFilters({ sort: event.currentTarget.value })}
          >
            {SORTS.map(sort => (
              <option key={sort} value={sort}>
                {t(`sort.${sort}`)}
              </option>
            ))}
          </select>
        </div>
      </div>
      <p class="sr" role="status">
        {!isLoading && filterCount(filters) > 0 && t('list.fit', { n: rows.length })}
      </p>
      {missing > 0 && <p class="hint">{t('list.missing', { n: missing })}</p>}
      {!isActive && endedMore && <p class="hint">{t('list.older')}</p>}
      {rows.length === 0 ? (
        <p class="calm">
          {isLoading ? t('loading') : <Nothing isActive={isActive} isFiltered={active.size > 0} />}
        </p>
      ) : (
        <VirtualList
          items={rows}
          label={t(isActive ? 'list.active' : 'list.ended')}
          keyOf={({ id }) => id}
          heights={[54, 84]}
          row={alert => <AlertLine alert={alert} />}
          onOpen={({ id }) => open('alert', id)}
        />
      )}
    </section>
  )
}

function Nothing({ isActive, isFiltered }: { readonly isActive: boolean; readonly isFiltered: boolean }) {
  if (!isActive) return <>{t('list.none_ended')}</>
  if (isFiltered) return <>{t('list.none_fits')}</>
  return (
    <>
      <Icon name="check" /> {t('list.all_well')}
    </>
  )
}
