import { useEffect, useRef, useState } from 'preact/hooks'
import type { Matcher, Silence, SilenceInput } from '../../messages.js'
import { data } from '../data.js'
import { RequestFailed, send } from '../http.js'
import { loadSilences } from '../live.js'
import { rangeOf } from '../route.js'
import { longSpan, t } from '../text.js'
import { Icon } from './icon.js'

const DURATIONS = ['30m', '1h', '2h', '4h', '8h', '1d', '3d', '7d'] as const
const OPERATORS = ['=', '!=', '=~', '!~'] as const
const AUTHOR = 'tocsin.author'

interface Props {
  readonly matchers: readonly Matcher[]
  /** Names that are offered. */
  readonly names: readonly string[]
  /** One that gets another end, under the same id; what it fits stays. One that has expired is made anew. */
  readonly silence?: Silence
  readonly onDone: () => void
}

/** Makes a silence: what it fits, for how long, who and why. */
export function SilenceForm({ matchers: given, names, silence, onDone }: Props) {
  const ids = useRef(0)
  const numbered = (matcher: Matcher) => ({ ...matcher, id: ids.current++ })
  const [matchers, setMatchers] = useState(() => given.map(numbered))
  const [trouble, setTrouble] = useState('')
  const [busy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  // What opened it may be gone: the focus goes on from here, and comes back to the page.
  useEffect(() => {
    const fields = [...(form.current?.querySelectorAll('input') ?? [])]
    const empty = fields.find(({ value }) => value === '')
    ;(empty ?? form.current?.querySelector('select'))?.focus()
    return () => document.getElementById('main')?.focus({ preventScroll: true })
  }, [])
  const change = (id: number, part: Partial<Matcher>) =>
    setMatchers(matchers.map(each => (each.id === id ? { ...each, ...part } : each)))

  async function submit(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form)
    const { now } = data.get()
    const createdBy = String(fields.get('by')).trim()
    localStorage.setItem(AUTHOR, createdBy)
    const { from, to } = rangeOf(String(fields.get('for')), now)
    const isCurrent = silence !== undefined && silence.state !== 'expired'
    const startsAt = isCurrent ? silence.startsAt : now
    const input: SilenceInput = {
      ...(isCurrent && { id: silence.id }),
      matchers: matchers.map(({ id: _, ...matcher }) => matcher),
      startsAt,
      endsAt: Math.max(startsAt, now) + (to - from),
      createdBy,
      comment: String(fields.get('why')).trim(),
    }
    setBusy(true)
    try {
      await send('POST', 'api/silences', input)
      await loadSilences()
      onDone()
    } catch (error) {
      setTrouble(error instanceof RequestFailed ? error.message || t('lost') : String(error))
      setBusy(false)
    }
  }

  const title = silence ? t(`silence.change.${silence.state}`) : t('silence.new')
  return (
    <form
      ref={form}
      class="panel silence-form"
      aria-label={title}
      onKeyDown={event => {
        if (event.key === 'Escape') onDone()
      }}
      onSubmit={event => {
        event.preventDefault()
        void submit(event.currentTarget)
      }}
    >
      <h2>{title}</h2>
      {!silence && (
        <fieldset>
          <legend>{t('silence.matchers')}</legend>
          <datalist id="matcher-names">
            {names.map(name => (
              <option key={name} value={name} />
            ))}
          </datalist>
          {matchers.map((matcher, index) => (
            <div class="matcher" key={matcher.id}>
              <input
                list="matcher-names"
                value={matcher.name}
                required
                aria-label={t('silence.name', { n: index + 1 })}
                onInput={event => change(matcher.id, { name: event.currentTarget.value })}
              />
              <select
                value={operatorOf(matcher)}
                aria-label={t('silence.operator', { n: index + 1 })}
                onChange={event => change(matcher.id, ofOperator(event.currentTarget.value))}
              >
                {OPERATORS.map(operator => (
                  <option key={operator}>{operator}</option>
                ))}
              </select>
              <input
                value={matcher.value}
                // Alone and empty it would fit everything.
                required={matchers.length === 1 && matcher.isEqual && !matcher.isRegex}
                aria-label={t('silence.value', { n: index + 1 })}
                onInput={event => change(matcher.id, { value: event.currentTarget.value })}
              />
              <button
                type="button"
                class="quiet"
                disabled={matchers.length === 1}
                aria-label={t('silence.remove', { n: index + 1 })}
                onClick={() => setMatchers(matchers.filter(({ id }) => id !== matcher.id))}
              >
                <Icon name="cross" />
              </button>
            </div>
          ))}
          <button
            type="button"
            onClick={() =>
              setMatchers([...matchers, numbered({ name: '', value: '', isRegex: false, isEqual: true })])
            }
          >
            {t('silence.add')}
          </button>
        </fieldset>
      )}
      <div class="fields">
        <label>
          {silence?.state === 'active' ? t('silence.for.now') : t('silence.for')}
          <select name="for">
            {DURATIONS.map(each => (
              <option key={each} value={each} selected={each === '2h'}>
                {longSpan(each)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t('silence.by')}
          <input
            name="by"
            required
            defaultValue={localStorage.getItem(AUTHOR) ?? silence?.createdBy ?? ''}
            autocomplete="name"
          />
        </label>
        <label class="wide">
          {t('silence.why')}
          <input
            name="why"
            required
            defaultValue={silence?.comment ?? ''}
            placeholder={t('silence.why.example')}
          />
        </label>
      </div>
      {trouble && (
        <p class="banner" role="alert">
          {trouble}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          <Icon name="silence" /> {silence ? title : t('silence.create')}
        </button>
        <button type="button" onClick={onDone}>
          {t('cancel')}
        </button>
      </div>
    </form>
  )
}

export function operatorOf({ isRegex, isEqual }: Matcher): string {
  return `${isEqual ? '' : '!'}${isRegex ? '~' : '='}`.replace(/^~$/, '=~')
}

function ofOperator(operator: string): Pick<Matcher, 'isRegex' | 'isEqual'> {
  return { isRegex: operator.includes('~'), isEqual: !operator.includes('!') }
}
