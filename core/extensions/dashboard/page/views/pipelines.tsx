import { useEffect, useState } from 'preact/hooks'
import type { DeadLetterPage, Flow, FlowNode } from '../../messages.js'
import { data } from '../data.js'
import { get, send } from '../http.js'
import { At } from '../parts/time.js'
import { useStore } from '../store.js'
import { number, rate, shortNumber, span, t, word } from '../text.js'

/** How records flow, now: rates, queues, health, and what was given up. */
export function PipelinesView() {
  const flow = useStore(data, state => state.flow)
  const session = useStore(data, state => state.session)
  return (
    <>
      <h1>{t('tab.pipelines')}</h1>
      {!flow && <p class="panel calm">{t('loading')}</p>}
      {flow?.pipelines.map(pipeline => (
        <section key={pipeline.id} class="panel pipeline" aria-labelledby={`pipeline-${pipeline.id}`}>
          <div class="panel-head">
            <h2 id={`pipeline-${pipeline.id}`}>{pipeline.id}</h2>
            <Status status={pipeline.status} />
          </div>
          <section class="flow scroll" tabIndex={0} aria-label={t('flow.of', { pipeline: pipeline.id })}>
            <Stage name={t('flow.receivers')} nodes={pipeline.receivers} />
            {pipeline.processors.map(node => (
              <Stage key={node.id} name={t('flow.processor')} nodes={[node]} />
            ))}
            <Stage name={t('flow.exporters')} nodes={pipeline.exporters} />
          </section>
        </section>
      ))}
      {flow && <DeadLetters flow={flow} />}
      {flow && (
        <section class="panel" aria-labelledby="extensions-title">
          <h2 id="extensions-title">{t('flow.extensions')}</h2>
          <ul class="nodes wide">
            {flow.extensions.map(node => (
              <Node key={node.id} node={node} />
            ))}
          </ul>
          {session && (
            <p class="hint">
              {t('flow.about', { collector: session.collector, version: session.version })}{' '}
              <At at={session.startedAt} />.{' '}
              {t('flow.history', { n: session.maxEntries, span: span(session.retentionMs) })}
            </p>
          )}
        </section>
      )}
    </>
  )
}

function Stage({ name, nodes }: { readonly name: string; readonly nodes: readonly FlowNode[] }) {
  return (
    <div class="stage">
      <h3>{name}</h3>
      <ul class="nodes">
        {nodes.map(node => (
          <Node key={node.id} node={node} />
        ))}
      </ul>
    </div>
  )
}

function Node({ node }: { readonly node: FlowNode }) {
  const { id, status, message, inRate, outRate, failedRate, queue } = node
  return (
    <li class={`node ${status}`}>
      <div class="node-head">
        <span class="node-id">{id}</span>
        <Status status={status} />
      </div>
      {(inRate !== undefined || outRate !== undefined) && (
        <p class="rates">
          {inRate !== undefined && (
            <span title={t('flow.in')}>→ {t('per_second', { rate: rate(inRate) })}</span>
          )}
          {outRate !== undefined && (
            <span title={t('flow.out')}>{t('per_second', { rate: rate(outRate) })} →</span>
          )}
          {failedRate !== undefined && failedRate > 0 && (
            <span class="bad">{t('flow.failed', { rate: rate(failedRate) })}</span>
          )}
        </p>
      )}
      {queue && (
        <div class="queue">
          <span>
            {t('flow.queue', { size: shortNumber(queue.size), capacity: shortNumber(queue.capacity) })}
          </span>
          <meter
            min={0}
            max={queue.capacity}
            high={queue.capacity * 0.8}
            value={queue.size}
            aria-label={t('flow.queue_of', { id })}
          />
        </div>
      )}
      {message !== undefined && status !== 'ok' && <p class="message">{message}</p>}
    </li>
  )
}

function Status({ status }: { readonly status: string }) {
  return (
    <span class={`status ${status}`}>
      <span class="dot" />
      {word('status', status)}
    </span>
  )
}

/** What could not be delivered, and is kept. */
function DeadLetters({ flow: { givenUp } }: { readonly flow: Flow }) {
  const allowed = useStore(data, state => state.session?.allowChanges ?? false)
  const [page, setPage] = useState<DeadLetterPage>()
  const [asked, setAsked] = useState(0)
  // Asked again when there are more, or some were asked for
  useEffect(() => {
    const leaving = new AbortController()
    get<DeadLetterPage>('api/dead_letters', leaving.signal).then(setPage, () => undefined)
    return () => leaving.abort()
  }, [givenUp.kept, givenUp.dropped, asked])
  const retry = async (ids: readonly string[]): Promise<void> => {
    await send('POST', 'api/dead_letters/retry', { ids }).catch(() => undefined)
    setAsked(asked + 1)
  }
  const waiting = page?.newest.filter(({ retryRequested }) => !retryRequested).map(({ id }) => id) ?? []
  return (
    <section class="panel" aria-labelledby="dead-title">
      <div class="panel-head">
        <h2 id="dead-title">
          {t('dead.title')}{' '}
          {page?.kept && <span class="count">{t('dead.records', { n: page.records })}</span>}
        </h2>
        {allowed && waiting.length > 0 && (
          <button type="button" onClick={() => void retry(waiting)}>
            {t('dead.retry')}
          </button>
        )}
      </div>
      {givenUp.dropped > 0 && <p class="bad">{t('dead.dropped', { n: givenUp.dropped })}</p>}
      {page && !page.kept && <p class="hint">{t('dead.no_storage')}</p>}
      {page?.kept && page.letters === 0 && <p class="calm">{t('dead.none')}</p>}
      {page && page.newest.length > 0 && (
        <section class="scroll lines" tabIndex={0} aria-label={t('dead.title')}>
          <table class="stacks">
            <thead>
              <tr>
                <th scope="col">{t('column.time')}</th>
                <th scope="col">{t('column.component')}</th>
                <th scope="col" class="number">
                  {t('column.records')}
                </th>
                <th scope="col">{t('column.reason')}</th>
              </tr>
            </thead>
            <tbody>
              {page.newest.map(({ id, at, pipeline, component, records, reason, detail, retryRequested }) => (
                <tr key={id}>
                  <td class="when">
                    <At at={at} />
                  </td>
                  <td>
                    {component} <span class="faint">{pipeline}</span>
                  </td>
                  <td class="number" data-label={t('column.records')}>
                    {number(records)}
                  </td>
                  <td>
                    <b>{word('reason', reason)}</b> {detail}
                    {retryRequested && <span class="tag">{t('dead.requested')}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}
