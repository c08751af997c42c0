import { type ComponentContext, durationMs, type Extension } from 'tocsin/component'

/** Logs the status of the service at an interval. */
export function myExtension({
  config: { interval },
  clock,
  logger,
}: ComponentContext<{ interval: string }>): Extension {
  let cancel = () => {}
  return {
    async start(host) {
      const next = () => {
        logger.info('The service reports its status.', { status: host.status().status })
        cancel = clock.schedule(durationMs(interval), next)
      }
      cancel = clock.schedule(durationMs(interval), next)
    },
    async stop() {
      cancel()
    },
  }
}
