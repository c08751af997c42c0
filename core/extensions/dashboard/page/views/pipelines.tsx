import type { Flow, FlowNode } from '../../messages.js'
import { data } from '../data.js'
import { At } from '../parts/time.js'
import { useStore } from '../store.js'
import { number, rate, shortNumber, t, word } from '../text.js'

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
          <div class="flow scroll" tabIndex={0} role="region" aria-label={t('flow.of', { pipeline: pipeline.id })}>
            <Stage name={t('flow.receivers')} nodes={pipeline.receivers} />
            {pipeline.processors.map(node => (
              <Stage key={node.id} name={t('flow.processor')} nodes={[node]} />
            ))}
            <Stage name={t('flow.exporters')} nodes={pipeline.exporters} />
          </div>
        </section>
      ))}
      {flow && <DeadLetters flow={flow} />}
      {flow && (
        <section class="panel" aria-labelledby="extensions-title">
          <h2 id="extensions-title">{t('flow.extensions')}</h2>
          <ul class="nodes wide" role="list">
            {flow.extensions.map(node => (
              <Node key={node.id} node={node} />
            ))}
          </ul>
          {session && (
            <p class="hint">
              {session.host}, Tocsin {session.version}, {t('flow.started')} <At at={session.startedAt} />.{' '}
              {session.history}
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
      <ul class="nodes" role="list">
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
          {inRate !== undefined && <span title={t('flow.in')}>→ {t('per_second', { rate: rate(inRate) })}</span>}
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
          <span>{t('flow.queue', { size: shortNumber(queue.size), capacity: shortNumber(queue.capacity) })}</span>
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

function DeadLetters({ flow: { deadLetters } }: { readonly flow: Flow }) {
  return (
    <section class="panel" aria-labelledby="dead-title">
      <h2 id="dead-title">
        {t('dead.title')} <span class="count">{number(deadLetters.records)}</span>
      </h2>
      {deadLetters.records === 0 ? (
        <p class="calm">{t('dead.none')}</p>
      ) : (
        <>
          <p class="hint">{t('dead.what')}</p>
          <div class="scroll">
            <table>
              <tbody>
                {deadLetters.lately.map(({ at, pipeline, component, records, kept, line }) => (
                  <tr key={`${at} ${component} ${line}`}>
                    <td class="when">
                      <At at={at} />
                    </td>
                    <td>
                      {pipeline} · {component}
                    </td>
                    <td>
                      {t('dead.records', { n: records })}{' '}
                      {!kept && <strong class="bad">{t('dead.dropped')}</strong>}
                    </td>
                    <td>
                      <code>{line}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  )
}
