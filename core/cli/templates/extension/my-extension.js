import { durationMs } from 'tocsin/component'

/**
 * Logs the status of the service at an interval.
 *
 * @param {{ interval: string }} config
 * @param {import('tocsin/component').ComponentContext<unknown>} context
 * @returns {import('tocsin/component').Extension}
 */
export function myExtension({ interval }, { clock, logger }) {
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
