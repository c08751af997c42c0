import type { Top } from '../../messages.js'
import { shortNumber, t } from '../text.js'

interface Props {
  readonly title: string
  readonly top: Top | undefined
  readonly chosen: readonly string[]
  readonly onToggle: (value: string) => void
  /** How a value is shown. */
  readonly name?: (value: string) => string
  readonly look?: (value: string) => string
}

/** Values by how many alerts they had; a click filters by one. */
export function Bars({ title, top, chosen, onToggle, name: show = value => value, look }: Props) {
  const shares = top?.items ?? []
  const most = Math.max(1, ...shares.map(({ count }) => count))
  const missing = chosen.filter(value => !shares.some(share => share.name === value))
  const all = [...missing.map(value => ({ name: value, count: 0 })), ...shares]
  const id = `bars-${title.replace(/\W+/g, '-')}`
  return (
    <section class="panel bars" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {all.length === 0 && <p class="empty">{top ? t('nothing') : '–'}</p>}
      <ul>
        {all.map(({ name: value, count }) => (
          <li key={value}>
            <button type="button" aria-pressed={chosen.includes(value)} onClick={() => onToggle(value)}>
              <span class="bar-name" title={value}>
                {show(value) || t('none')}
              </span>
              <span class="bar-count">{shortNumber(count)}</span>
              <span class={`bar ${look?.(value) ?? ''}`} style={{ width: `${(100 * count) / most}%` }} />
            </button>
          </li>
        ))}
      </ul>
      {top && top.rest > 0 && <p class="more">{t('bars.rest', { n: top.rest })}</p>}
    </section>
  )
}
