import { formatRfc3339, type PipelineStatus, type ServiceStatus } from 'tocsin/component'

type Status = PipelineStatus['status']

export interface Answer {
  readonly code: number
  readonly body: unknown
}

/** What a path answers: the status, `live` or `ready` below `base`. Undefined for any other path. */
export function answer(path: string, base: string, status: ServiceStatus): Answer | undefined {
  const prefix = base.replace(/\/+$/, '')
  if (path === base || path === prefix || path === `${prefix}/`) {
    return { code: codeOf(status.status), body: describe(status) }
  }
  if (path === `${prefix}/live`) return { code: 200, body: { status: 'ok' } }
  if (path !== `${prefix}/ready`) return undefined
  const pipelines = notReady(status.pipelines)
  const extensions = notReady(status.extensions)
  const messages = messagesOf(status)
  const isReady = (found: object): boolean => Object.keys(found).length === 0
  const ready =
    status.status !== 'starting' && status.status !== 'stopping' && isReady(pipelines) && isReady(extensions)
  const body = {
    ready,
    ...(!ready && { pipelines }),
    ...(!isReady(extensions) && { extensions }),
    ...(!isReady(messages) && { messages }),
  }
  return { code: ready ? 200 : 503, body }
}

/** What is wrong, by component: also what goes away by itself. */
function messagesOf({ pipelines, extensions }: ServiceStatus): { [component: string]: string } {
  const all = Object.values(pipelines).flatMap(({ components }) => Object.entries(components))
  for (const [id, report] of Object.entries(extensions)) all.push([`extension:${id}`, report])
  return Object.fromEntries(
    all.flatMap(([id, { status, message }]) =>
      message === undefined || status === 'ok' ? [] : [[id, message]],
    ),
  )
}

function notReady(all: { readonly [id: string]: { readonly status: Status } }): { [id: string]: Status } {
  const waiting = Object.entries(all).filter(([, { status }]) => codeOf(status) !== 200)
  return Object.fromEntries(waiting.map(([id, { status }]) => [id, status]))
}

/** A recoverable error goes away by itself: taking the collector out of service would not help. */
function codeOf(status: Status): number {
  if (status === 'ok' || status === 'recoverable_error') return 200
  return status === 'permanent_error' || status === 'fatal_error' ? 500 : 503
}

function describe({ status, startedAt, version, pipelines, extensions }: ServiceStatus): unknown {
  return { status, started_at: formatRfc3339(startedAt), version, pipelines, extensions }
}
