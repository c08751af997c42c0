import { useEffect, useState } from 'preact/hooks'
import type { AlertDetail, Matcher } from '../../messages.js'
import { data } from '../data.js'
import { severityClass } from '../filter.js'
import { get, RequestFailed } from '../http.js'
import { linkTo } from '../parts/go.js'
import { Icon } from '../parts/icon.js'
import { NotificationTable } from '../parts/notification-table.js'
import { Severity } from '../parts/severity.js'
import { SilenceForm } from '../parts/silence-form.js'
import { SilenceList } from '../parts/silence-list.js'
import { Age, Ago, At } from '../parts/time.js'
import { useStore } from '../store.js'
import { number, span, t, word } from '../text.js'

const LOAD_MS = 1_000

/** One alert: its lines, its row of the table, why it matched, what was told of it. */
export function AlertView() {
  const id = useStore(data, state => state.route.id)
  const [detail, trouble] = useDetail(id)
  const [silencing, setSilencing] = useState(false)
  const allowed = useStore(data, state => state.session?.allowChanges ?? false)
  const back = (
    <p class="back">
      <a href={linkTo('alerts')}>← {t('tab.alerts')}</a>
    </p>
  )
  if (!detail)
    return (
      <>
        {back}
        <p class="panel calm">{trouble || t('loading')}</p>
      </>
    )
  const { alert, links, notifications, silences, episodes, labels } = detail
  return (
    <>
      {back}
      <div class={`title alert-title ${severityClass(alert.severity)}`}>
        <h1>
          <Severity severity={alert.severity} /> {alert.message}
        </h1>
        {allowed && alert.active && !silencing && (
          <button type="button" class="primary" onClick={() => setSilencing(true)}>
            <Icon name="silence" /> {t('silence.this')}
          </button>
        )}
      </div>
      {silencing && (
        <SilenceForm
          matchers={matchersOf(labels)}
          names={Object.keys(labels)}
          onDone={() => setSilencing(false)}
        />
      )}
      {silences.length > 0 && <SilenceList silences={silences} />}
      <div class="two">
        <section class="panel" aria-labelledby="facts-title">
          <h2 id="facts-title">{t('alert.facts')}</h2>
          <Facts detail={detail} />
          {links.length > 0 && (
            <p class="links">
              {links.map(({ title, url }) => (
                <a key={url} href={url} target="_blank" rel="noreferrer noopener">
                  <Icon name="link" /> {title}
                </a>
              ))}
            </p>
          )}
        </section>
        <section class="panel" aria-labelledby="why-title">
          <h2 id="why-title">{t('alert.why')}</h2>
          <Why detail={detail} />
        </section>
      </div>
      <section class="panel" aria-labelledby="lines-title">
        <h2 id="lines-title">{t('alert.lines')}</h2>
        <Lines detail={detail} />
      </section>
      <section class="panel" aria-labelledby="told-title">
        <h2 id="told-title">{t('tab.notifications')}</h2>
        <NotificationTable rows={notifications} />
      </section>
      {episodes.length > 1 && (
        <section class="panel" aria-labelledby="episodes-title">
          <h2 id="episodes-title">{t('alert.episodes')}</h2>
          <ul class="episodes" role="list">
            {episodes.map(each => (
              <li key={each.id} aria-current={each.id === alert.id ? 'true' : undefined}>
                <a href={linkTo('alert', each.id)}>
                  <At at={each.since} />
                </a>{' '}
                {each.active ? t('state.active') : t('alert.lasted', { span: span((each.endedAt ?? each.lastSeen) - each.since) })}
                , {t('alert.count', { n: each.count })}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function Facts({ detail: { alert, endReason, labels } }: { readonly detail: AlertDetail }) {
  const facts: (readonly [string, preact.ComponentChildren])[] = [
    [
      t('fact.state'),
      alert.active ? (
        <strong class="bad">
          {t('state.active')} <Age since={alert.since} />
        </strong>
      ) : (
        <strong class="good">
          {t('state.ended')} <Ago at={alert.endedAt ?? alert.lastSeen} />
          {endReason !== undefined && ` (${word('reason', endReason)})`}
        </strong>
      ),
    ],
    [t('fact.since'), <At key="since" at={alert.since} />],
    [t('fact.last'), <At key="last" at={alert.lastSeen} />],
    [t('fact.count'), number(alert.count)],
    [t('fact.pipeline'), alert.pipeline],
    ...(alert.collector ? [[t('fact.collector'), alert.collector] as const] : []),
  ]
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>{t('alert.labels')}</h3>
      <ul class="labels" role="list">
        {Object.entries(labels).map(([name, value]) => (
          <li key={name}>
            <code>
              {name}="{value}"
            </code>
          </li>
        ))}
      </ul>
    </>
  )
}

function Why({ detail: { why, lines } }: { readonly detail: AlertDetail }) {
  const raised = [...lines].reverse().find(({ status }) => status === 'alert')
  const rows: (readonly [string, string | undefined])[] = [
    ['alert_pattern', why.pattern],
    ['recovery_pattern', why.recoveryPattern],
    ['match_mode', why.matchMode],
    ['alert_schema', why.alertSchema],
    ['rule_id', why.ruleId],
    ['processor', why.processor],
  ]
  return (
    <>
      {raised && (
        <p class="line-of">
          <code>
            <Marked text={raised.line} span={why.span} />
          </code>
        </p>
      )}
      <dl class="facts">
        {rows.map(([name, value]) =>
          value === undefined || value === '' ? null : (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <code>{value}</code>
              </dd>
            </div>
          ),
        )}
      </dl>
    </>
  )
}

/** What the pattern found stands out. */
function Marked({ text, span: found }: { readonly text: string; readonly span?: readonly [number, number] | undefined }) {
  if (!found) return <>{text}</>
  const [from, to] = found
  return (
    <>
      {text.slice(0, from)}
      <mark>{text.slice(from, to)}</mark>
      {text.slice(to)}
    </>
  )
}

function Lines({ detail: { lines } }: { readonly detail: AlertDetail }) {
  if (lines.length === 0) return <p class="calm">{t('alert.no_lines')}</p>
  return (
    <div class="scroll lines" tabIndex={0} role="region" aria-labelledby="lines-title">
      <table>
        <tbody>
          {lines.map(({ at, status, line }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has nothing of its own that is unique
            <tr key={`${at} ${index}`}>
              <td class="when">
                <At at={at} />
              </td>
              <td>
                <span class={`transition ${status}`}>{word('transition', status)}</span>
              </td>
              <td>
                <code>{line}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What a silence of this alert alone fits: all that tells it from others. */
function matchersOf(labels: AlertDetail['labels']): readonly Matcher[] {
  return Object.entries(labels)
    .filter(([name]) => !['severity', 'pipeline', 'alert_key', 'rule_id', 'collector'].includes(name))
    .map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
}

/** The alert, fresh: asked for again when something happened, at most once a second. */
function useDetail(id: string): readonly [AlertDetail | undefined, string] {
  const changes = useStore(data, state => state.changes)
  const connection = useStore(data, state => state.connection)
  const [detail, setDetail] = useState<AlertDetail>()
  const [trouble, setTrouble] = useState('')
  const known = detail?.alert.id === id ? detail : undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: `changes` says when to ask again
  useEffect(() => {
    const leaving = new AbortController()
    const ask = (): void => {
      get<AlertDetail>(`api/alerts/${encodeURIComponent(id)}`, leaving.signal).then(
        found => {
          setDetail(found)
          setTrouble('')
        },
        (error: unknown) => {
          if (!leaving.signal.aborted) setTrouble(error instanceof RequestFailed ? error.message : '')
        },
      )
    }
    if (!known) ask()
    const timer = known && setTimeout(ask, LOAD_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [id, changes, connection])
  return [known, trouble]
}
