import type { Share } from '../../messages.js'
import { shortNumber, t } from '../text.js'

interface Props {
  readonly title: string
  readonly shares: readonly Share[]
  readonly chosen: readonly string[]
  readonly onToggle: (value: string) => void
  /** How a value is shown. */
  readonly name?: (value: string) => string
  readonly look?: (value: string) => string
}

const SHOWN = 6

/** Values by how many alerts they had; a click filters by one. */
export function Bars({ title, shares, chosen, onToggle, name = value => value, look }: Props) {
  const most = Math.max(1, ...shares.map(({ count }) => count))
  const missing = chosen.filter(value => !shares.some(share => share.value === value))
  const all = [...missing.map(value => ({ value, count: 0 })), ...shares]
  const id = `bars-${title.replace(/\W+/g, '-')}`
  return (
    <section class="panel bars" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {all.length === 0 && <p class="empty">{t('nothing')}</p>}
      <ul role="list">
        {all.slice(0, Math.max(SHOWN, missing.length)).map(({ value, count }) => (
          <li key={value}>
            <button type="button" aria-pressed={chosen.includes(value)} onClick={() => onToggle(value)}>
              <span class="bar-name" title={value}>
                {name(value) || t('none')}
              </span>
              <span class="bar-count">{shortNumber(count)}</span>
              <span class={`bar ${look?.(value) ?? ''}`} style={{ width: `${(100 * count) / most}%` }} />
            </button>
          </li>
        ))}
      </ul>
      {all.length > SHOWN && (
        <p class="more">{t('bars.more', { n: all.length - SHOWN })}</p>
      )}
    </section>
  )
}
