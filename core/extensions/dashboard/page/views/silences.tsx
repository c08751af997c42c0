import { useState } from 'preact/hooks'
import { data } from '../data.js'
import { Icon } from '../parts/icon.js'
import { SilenceForm } from '../parts/silence-form.js'
import { SilenceList } from '../parts/silence-list.js'
import { useStore } from '../store.js'
import { t } from '../text.js'

const NAMES = ['alertname', 'severity', 'host', 'service', 'pipeline', 'alert_key', 'rule_id']

export function SilencesView() {
  const silences = useStore(data, state => state.silences)
  const session = useStore(data, state => state.session)
  const [open, setOpen] = useState(false)
  const current = silences?.filter(({ state }) => state !== 'expired') ?? []
  const expired = silences?.filter(({ state }) => state === 'expired') ?? []
  return (
    <>
      <div class="title">
        <h1>{t('tab.silences')}</h1>
        {session?.allowChanges && !open && (
          <button type="button" class="primary" onClick={() => setOpen(true)}>
            <Icon name="silence" /> {t('silence.new')}
          </button>
        )}
      </div>
      {session && !session.allowChanges && <p class="hint">{t('silence.read_only')}</p>}
      {open && (
        <SilenceForm
          matchers={[{ name: 'alertname', value: '', isRegex: false, isEqual: true }]}
          names={NAMES}
          onDone={() => setOpen(false)}
        />
      )}
      {silences && current.length === 0 && <p class="panel calm">{t('silence.none')}</p>}
      <SilenceList silences={current} />
      {expired.length > 0 && (
        <>
          <h2>{t('silence.expired')}</h2>
          <SilenceList silences={expired} />
        </>
      )}
    </>
  )
}
