import type { AlertRow } from '../../messages.js'
import { severityClass } from '../filter.js'
import { shortNumber, t } from '../text.js'
import { linkTo } from './go.js'
import { Icon } from './icon.js'
import { Severity } from './severity.js'
import { Age, Ago } from './time.js'

/** One alert in a list: what, where, its newest line, how often, since when. */
export function AlertLine({ alert }: { readonly alert: AlertRow }) {
  const { id, severity, message, lastLine, host, service, duplicates, firedAt, endedAt, silencedBy, state } =
    alert
  const count = duplicates + 1
  const isSilenced = silencedBy.length > 0
  return (
    <div class={`alert ${severityClass(severity)} ${isSilenced ? 'silenced' : ''}`}>
      <div class="alert-what">
        <Severity severity={severity} />
        <a href={linkTo('alert', id)} class="alert-message">
          {message}
        </a>
        {isSilenced && (
          <span class="tag">
            <Icon name="silence" /> {t('silenced')}
          </span>
        )}
      </div>
      <div class="alert-where">
        {host && <span class="host">{host}</span>}
        {service && <span class="service">{service}</span>}
      </div>
      <code class="alert-line" title={lastLine}>
        {lastLine}
      </code>
      <div class="alert-count" title={t('alert.count', { n: count })}>
        <span class="sr">{t('alert.count', { n: count })}</span>
        <span aria-hidden="true">×{shortNumber(count)}</span>
      </div>
      <div class="alert-age">
        {state === 'active' ? (
          <Age since={firedAt} />
        ) : (
          <span class="ended">
            <Icon name="check" /> <Ago at={endedAt ?? firedAt} />
          </span>
        )}
      </div>
    </div>
  )
}
