import { durationMs } from 'tocsin/component'

/**
 * Logs the status of the service at an interval.
 *
 * @param {import('tocsin/component').ComponentContext<{ interval: string }>} context
 * @returns {import('tocsin/component').Extension}
 */
export function myExtension({ config: { interval }, clock, logger }) {
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
