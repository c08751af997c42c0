import type { NotificationRow } from '../../messages.js'
import { severityClass } from '../filter.js'
import { t, word } from '../text.js'
import { linkTo } from './go.js'
import { Icon, type IconName } from './icon.js'
import { Severity } from './severity.js'
import { At } from './time.js'

const ICONS: { readonly [state: string]: IconName } = {
  delivered: 'check',
  given_up: 'cross',
  retrying: 'warning',
  silenced: 'silence',
  pending: 'clock',
}

/** What people were told, and what each destination answered. */
export function NotificationTable({ rows }: { readonly rows: readonly NotificationRow[] | undefined }) {
  if (rows === undefined) return <p class="calm">{t('loading')}</p>
  if (rows.length === 0) return <p class="calm">{t('notifications.none')}</p>
  return (
    <div class="scroll">
      <table class="notifications">
        <thead>
          <tr>
            <th scope="col">{t('column.time')}</th>
            <th scope="col">{t('column.what')}</th>
            <th scope="col">{t('column.host')}</th>
            <th scope="col">{t('column.destinations')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.id} class={`${severityClass(row.severity)} ${row.status}`}>
              <td class="when">
                <At at={row.at} />
              </td>
              <td class="what">
                <span class="told">
                  {row.status === 'recovery' ? (
                    <span class="severity good">
                      <Icon name="check" /> {t('transition.recovery')}
                    </span>
                  ) : (
                    <Severity severity={row.severity} />
                  )}{' '}
                  {row.alert === undefined ? (
                    row.title
                  ) : (
                    <a href={linkTo('alert', row.alert)}>{row.title}</a>
                  )}
                </span>
                <code title={row.line}>{row.line}</code>
              </td>
              <td class="host">{row.host}</td>
              <td>
                <Deliveries row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Deliveries({ row: { deliveries } }: { readonly row: NotificationRow }) {
  return (
    <ul class="deliveries" role="list">
      {deliveries.map(({ exporter, state, answer, attempts }) => (
        <li key={exporter} class={`delivery ${state}`}>
          <Icon name={ICONS[state] ?? 'clock'} />
          <span>
            {exporter} <b>{word('delivery', state)}</b>
            {attempts > 1 && <> {t('delivery.attempts', { n: attempts })}</>}
            {answer !== undefined && <span class="answer">{answer}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}
