import { data } from '../data.js'
import { useStore } from '../store.js'
import { exactMoment, moment, span, t } from '../text.js'

/** When it was; exactly in the title. */
export function At({ at }: { readonly at: number }) {
  const now = useStore(data, state => state.now)
  return (
    <time dateTime={new Date(at).toISOString()} title={exactMoment(at)}>
      {moment(at, now)}
    </time>
  )
}

/** How long ago, growing. */
export function Age({ since, until }: { readonly since: number; readonly until?: number | undefined }) {
  const now = useStore(data, state => (until === undefined ? state.now : until))
  return (
    <time class="age" dateTime={new Date(since).toISOString()} title={exactMoment(since)}>
      {span((until ?? now) - since)}
    </time>
  )
}

export function Ago({ at }: { readonly at: number }) {
  const now = useStore(data, state => state.now)
  return (
    <time dateTime={new Date(at).toISOString()} title={exactMoment(at)}>
      {t('ago', { span: span(now - at) })}
    </time>
  )
}
