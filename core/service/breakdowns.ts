import { type Clock, errorText, type Kind, type Logger } from '../component/index.js'
import type { MinuteLog } from '../component/minute-log.js'
import type { PipelineMetrics } from '../pipeline/pipeline-metrics.js'
import type { Restarts } from '../pipeline/restarts.js'
import type { StatusBoard } from './status.js'

export interface BreakdownsOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: PipelineMetrics
  readonly status: StatusBoard
  readonly minuteLog: MinuteLog
}

/** Counts, logs and shows that a component broke down, and that it runs again. */
export function breakdownsOf(
  { clock, logger, metrics, status, minuteLog }: BreakdownsOptions,
  kind: Kind,
  id: string,
  pipelines: readonly string[],
): Restarts {
  const key = { kind, id, pipelines }
  const component = `${kind}/${id}`
  const attributes = { component, pipelines: pipelines.join(', ') }
  return {
    clock,
    down: error => {
      const reason = errorText(error)
      for (const pipeline of pipelines) metrics.breakdowns.add(1, { pipeline, component })
      minuteLog.add(`${component} ${attributes.pipelines} broke down`, 1, times =>
        logger.error('A component broke down; it starts again after 5 s.', {
          ...attributes,
          reason,
          ...(times > 1 && { times }),
        }),
      )
      const message = `It broke down and starts again after 5 s: ${reason}`
      status.set(key, { status: 'recoverable_error', message })
    },
    starting: () => status.set(key, { status: 'starting' }),
    up: () => {
      logger.info('The component that broke down runs again.', attributes)
      status.started(key)
    },
  }
}
