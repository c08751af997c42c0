import type { Notification } from '../../messages.js'
import { severityClass } from '../filter.js'
import { t, word } from '../text.js'
import { linkTo } from './go.js'
import { Icon, type IconName } from './icon.js'
import { Severity } from './severity.js'
import { At } from './time.js'

const ICONS: { readonly [state: string]: IconName } = {
  pending: 'clock',
  sent: 'check',
  failed: 'warning',
  dead_lettered: 'cross',
  dropped: 'cross',
  suppressed: 'silence',
}

/** What people were told, and what each destination answered. */
export function NotificationTable({ rows }: { readonly rows: readonly Notification[] | undefined }) {
  if (rows === undefined) return <p class="calm">{t('loading')}</p>
  if (rows.length === 0) return <p class="calm">{t('notifications.none')}</p>
  return (
    <div class="scroll">
      <table class="notifications stacks">
        <thead>
          <tr>
            <th scope="col">{t('column.time')}</th>
            <th scope="col">{t('column.what')}</th>
            <th scope="col">{t('column.host')}</th>
            <th scope="col">{t('column.destination')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.id} class={severityClass(row.severity)}>
              <td class="when">
                <At at={row.at} />
              </td>
              <td class="what">
                <span class="told">
                  {row.tells === 'recovery' ? (
                    <span class="severity good">{t('transition.recovery')}</span>
                  ) : (
                    <Severity severity={row.severity} />
                  )}{' '}
                  {row.alert === undefined ? row.title : <a href={linkTo('alert', row.alert)}>{row.title}</a>}
                </span>
                <code title={row.line}>{row.line}</code>
              </td>
              <td class="host">{row.host}</td>
              <td>
                <Delivery row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Delivery({ row: { exporter, state, answer, attempts, reason } }: { readonly row: Notification }) {
  const why = answer ?? (reason !== undefined && reason !== 'silenced' ? word('reason', reason) : undefined)
  return (
    <div class={`delivery ${state}`}>
      <Icon name={ICONS[state] ?? 'clock'} />
      <span>
        <span class="delivery-to">
          {exporter} <b>{word('delivery', state)}</b>
        </span>
        {attempts > 1 && <> {t('delivery.attempts', { n: attempts })}</>}
        {why !== undefined && state !== 'sent' && <span class="answer">{why}</span>}
      </span>
    </div>
  )
}
