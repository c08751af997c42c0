import { useMemo, useState } from 'preact/hooks'
import type { Silence } from '../../messages.js'
import { data } from '../data.js'
import { RequestFailed, send } from '../http.js'
import { loadSilences } from '../live.js'
import { useStore } from '../store.js'
import { exactMoment, span, t } from '../text.js'
import { operatorOf, SilenceForm } from './silence-form.js'

/** Silences with who, why and until when. */
export function SilenceList({ silences }: { readonly silences: readonly Silence[] }) {
  const now = useStore(data, state => Math.floor(state.now / 10_000) * 10_000)
  const allowed = useStore(data, state => state.session?.allowChanges ?? false)
  const active = useStore(data, state => state.alerts)
  const counts = useMemo(() => {
    const all = [...active.values()].flatMap(({ silencedBy }) => silencedBy)
    return all.reduce((sums, id) => sums.set(id, (sums.get(id) ?? 0) + 1), new Map<string, number>())
  }, [active])
  const [trouble, setTrouble] = useState('')
  /** Its form is open. */
  const [changing, setChanging] = useState('')
  const end = async (id: string): Promise<void> => {
    try {
      await send('DELETE', `api/silences/${encodeURIComponent(id)}`)
      await loadSilences()
    } catch (error) {
      setTrouble(error instanceof RequestFailed ? error.message : String(error))
    }
  }
  return (
    <>
      {trouble && (
        <p class="banner" role="alert">
          {trouble}
        </p>
      )}
      <ul class="silences">
        {silences.map(silence => {
          const { id, matchers, state, startsAt, endsAt, createdBy, comment } = silence
          return (
            <li key={id} class={`panel silence ${state}`}>
              <div class="silence-head">
                <span class={`tag ${state}`}>{t(`silence.state.${state}`)}</span>
                {matchers.map(matcher => (
                  <code key={`${matcher.name} ${operatorOf(matcher)} ${matcher.value}`} class="matcher-text">
                    {matcher.name}
                    {operatorOf(matcher)}
                    {JSON.stringify(matcher.value)}
                  </code>
                ))}
              </div>
              <p class="silence-why">{comment}</p>
              <p class="silence-facts">
                <span>{createdBy}</span>
                <span title={`${exactMoment(startsAt)} – ${exactMoment(endsAt)}`}>
                  {state === 'expired'
                    ? t('silence.ended', { span: span(now - endsAt) })
                    : state === 'pending'
                      ? t('silence.begins', { span: span(startsAt - now) })
                      : t('silence.ends', { span: span(endsAt - now) })}
                </span>
                {state !== 'expired' && <span>{t('silence.alerts', { n: counts.get(id) ?? 0 })}</span>}
                {allowed && changing !== id && (
                  <button type="button" onClick={() => setChanging(id)}>
                    {t(`silence.change.${state}`)}
                  </button>
                )}
                {allowed && state !== 'expired' && (
                  <button type="button" onClick={() => void end(id)}>
                    {t('silence.end')}
                  </button>
                )}
              </p>
              {changing === id && (
                <SilenceForm
                  matchers={matchers}
                  names={[]}
                  silence={silence}
                  onDone={() => setChanging('')}
                />
              )}
            </li>
          )
        })}
      </ul>
    </>
  )
}
