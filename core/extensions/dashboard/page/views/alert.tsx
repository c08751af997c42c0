import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { AlertStory, Matcher, Silence } from '../../messages.js'
import { sayAlertSchema } from '../alert-schema.js'
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
  const [story, trouble] = useStory(id)
  const [silencing, setSilencing] = useState(false)
  const allowed = useStore(data, state => state.session?.allowChanges ?? false)
  const silences = useStore(data, state => state.silences) ?? []
  const back = (
    <p class="back">
      <a href={linkTo('alerts')}>← {t('tab.alerts')}</a>
    </p>
  )
  if (!story)
    return (
      <>
        {back}
        <h1 class="sr">{t('alert.title')}</h1>
        <p class="panel calm">{trouble || t('loading')}</p>
      </>
    )
  const { alert, notifications } = story
  const own = silences.filter(silence => alert.silencedBy.includes(silence.id))
  return (
    <>
      {back}
      <div class={`title alert-title ${severityClass(alert.severity)}`}>
        <h1>
          <Severity severity={alert.severity} /> {alert.message}
        </h1>
        {allowed && alert.state === 'active' && !silencing && (
          <button type="button" class="primary" onClick={() => setSilencing(true)}>
            <Icon name="silence" /> {t('silence.this')}
          </button>
        )}
      </div>
      {silencing && (
        <SilenceForm
          matchers={matchersOf(alert.labels)}
          names={Object.keys(alert.labels)}
          onDone={() => setSilencing(false)}
        />
      )}
      {own.length > 0 && <SilenceList silences={own as readonly Silence[]} />}
      <div class="two">
        <section class="panel" aria-labelledby="facts-title">
          <h2 id="facts-title">{t('alert.facts')}</h2>
          <Facts story={story} />
        </section>
        <section class="panel" aria-labelledby="why-title">
          <h2 id="why-title">{t('alert.why')}</h2>
          <Why story={story} />
        </section>
      </div>
      <section class="panel" aria-labelledby="lines-title">
        <h2 id="lines-title">{t('alert.lines')}</h2>
        <Lines story={story} />
      </section>
      <section class="panel" aria-labelledby="told-title">
        <h2 id="told-title">{t('tab.notifications')}</h2>
        <NotificationTable rows={notifications} />
      </section>
      <section class="panel" aria-labelledby="record-title">
        <h2 id="record-title">{t('alert.record')}</h2>
        <Record story={story} />
      </section>
    </>
  )
}

function Facts({ story: { alert } }: { readonly story: AlertStory }) {
  const { links, runbook } = alert
  const all = runbook === undefined ? links : [{ title: t('alert.runbook'), url: runbook }, ...links]
  const end = alert.endedAt ?? alert.lastAt
  return (
    <>
      <Pairs
        pairs={[
          [
            t('fact.state'),
            alert.state === 'active' ? (
              <strong class="bad">
                {t('state.active')} <Age since={alert.firedAt} />
              </strong>
            ) : (
              <>
                <strong class="good">{t('state.ended')}</strong> <Ago at={end} />
                {alert.endReason !== undefined && `, ${word('reason', alert.endReason)}`}
              </>
            ),
          ],
          [t('fact.fired'), <At key="fired" at={alert.firedAt} />],
          ...(alert.state === 'ended' ? [[t('fact.lasted'), span(end - alert.firedAt)] as const] : []),
          [t('fact.first'), <At key="first" at={alert.firstOccurrence} />],
          [t('fact.last'), <At key="last" at={alert.lastAt} />],
          [t('fact.count'), number(alert.duplicates + 1)],
          [t('fact.host'), alert.host],
          [t('fact.pipeline'), alert.pipeline],
          [t('fact.collector'), alert.collector],
        ]}
      />
      {all.length > 0 && (
        <p class="links">
          {all.map(({ title, url }) => (
            <a key={`${title} ${url}`} href={url} target="_blank" rel="noreferrer noopener">
              <Icon name="link" /> {title}
            </a>
          ))}
        </p>
      )}
      <h3>{t('alert.labels')}</h3>
      <ul class="labels">
        {Object.entries(alert.labels).map(([name, value]) => (
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

/** The line that raised it, with what the pattern found, and the row of the table. */
function Why({ story: { alert, row, why } }: { readonly story: AlertStory }) {
  const code = (text: string | undefined) => text && <code>{text}</code>
  return (
    <>
      <p class="line-of">
        <code>
          <Marked text={why.text} spans={why.spans} />
        </code>
      </p>
      <Pairs
        pairs={[
          [code('alert_pattern'), code(row.pattern)],
          [code('recovery_pattern'), code(row.recoveryPattern)],
          [
            code('alert_schema'),
            row.schema && (
              <>
                {code(row.schema)} {sayAlertSchema(row.schema, Boolean(row.recoveryPattern))}
              </>
            ),
          ],
          [code('normalized_message'), code(row.message)],
          [code('severity'), code(row.severity)],
          [code('rule_id'), code(row.ruleId)],
          [code('runbook'), code(row.runbook)],
          [t('fact.processor'), code(alert.processor)],
        ]}
      />
    </>
  )
}

/** What was found stands out. */
function Marked({ text, spans }: AlertStory['why']) {
  const ordered = [...spans].sort(([a], [b]) => a - b)
  const parts: ComponentChildren[] = []
  let at = 0
  for (const [from, to] of ordered) {
    if (from < at) continue
    parts.push(text.slice(at, from), <mark key={from}>{text.slice(from, to)}</mark>)
    at = to
  }
  return (
    <>
      {parts}
      {text.slice(at)}
    </>
  )
}

function Lines({ story: { lines } }: { readonly story: AlertStory }) {
  if (lines.length === 0) return <p class="calm">{t('alert.no_lines')}</p>
  return (
    <section class="scroll lines" tabIndex={0} aria-label={t('alert.lines')}>
      <table>
        <thead class="sr">
          <tr>
            <th scope="col">{t('column.time')}</th>
            <th scope="col">{t('column.status')}</th>
            <th scope="col">{t('column.line')}</th>
          </tr>
        </thead>
        <tbody>
          {[...lines].reverse().map(({ at, status, text }, index) => (
            // A line has nothing of its own that is unique
            <tr key={`${at} ${index}`}>
              <td class="when">
                <At at={at} />
              </td>
              <td>
                <span class={`transition ${status}`}>{word('transition', status)}</span>
              </td>
              <td>
                <code>{text}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Attributes and resource of the record that raised it. */
function Record({ story: { attributes, resource } }: { readonly story: AlertStory }) {
  const rows = [
    ...Object.entries(resource).map(([name, value]) => [`resource.${name}`, value] as const),
    ...Object.entries(attributes),
  ]
  if (rows.length === 0) return <p class="calm">{t('nothing')}</p>
  return (
    <Pairs
      pairs={rows.map(([name, value]) => [
        <code key={name}>{name}</code>,
        <code key={`${name}=`}>{typeof value === 'string' ? value : JSON.stringify(value)}</code>,
      ])}
    />
  )
}

/** Names and values; those without a value are left out. */
function Pairs({ pairs }: { readonly pairs: readonly (readonly [ComponentChildren, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {pairs.map(([name, value], index) =>
        value === undefined || value === '' ? null : (
          // The pairs stay in their places
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** What a silence of this alert alone fits: all that tells it from others. */
function matchersOf(labels: { readonly [name: string]: string }): readonly Matcher[] {
  const telling = Object.entries(labels).filter(
    ([name, value]) =>
      value !== '' &&
      !['severity', 'pipeline', 'alert_key', 'rule_id', 'collector'].includes(name) &&
      // host_name says what host says.
      !(name.endsWith('_name') && labels[name.slice(0, -'_name'.length)] === value),
  )
  return telling.map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
}

/** The alert, fresh: asked for again when something happened, at most once a second. */
function useStory(id: string): readonly [AlertStory | undefined, string] {
  const changes = useStore(data, state => state.changes)
  const connection = useStore(data, state => state.connection)
  const [story, setStory] = useState<AlertStory>()
  const [trouble, setTrouble] = useState('')
  const again = useRef<(() => void) | undefined>(undefined)
  // A new connection asks again
  useEffect(() => {
    const leaving = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (): Promise<void> => {
      timer = undefined
      try {
        setStory(await get<AlertStory>(`api/alerts/${encodeURIComponent(id)}`, leaving.signal))
        setTrouble('')
      } catch (error) {
        if (!leaving.signal.aborted) setTrouble(error instanceof RequestFailed ? error.message : '')
      }
    }
    again.current = () => {
      timer ??= setTimeout(() => void ask(), LOAD_MS)
    }
    void ask()
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [id, connection])
  // It says that something happened
  useEffect(() => again.current?.(), [changes])
  return [story?.alert.id === id ? story : undefined, trouble]
}
