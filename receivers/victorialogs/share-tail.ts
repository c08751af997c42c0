import type { ComponentContext } from 'tocsin/component'
import type { Client } from './client.js'
import type { VictoriaLogsConfig } from './config.js'
import type { FollowerOptions } from './follower.js'
import { NOT_SHARED, sharedQuery } from './shared-query.js'
import { SharedTails } from './shared-tails.js'

/** How the receiver opens a tail together with the others of its source; undefined: alone. */
export function shareTail(
  { config, clock, logger, shared }: ComponentContext<VictoriaLogsConfig>,
  client: Client,
): FollowerOptions['share'] {
  const words = sharedQuery(config)
  if (typeof words === 'string') {
    if (words !== 'off') logger.info(`It has a tail of its own: ${NOT_SHARED[words]}.`, { reason: words })
    return undefined
  }
  const { endpoint, basic_auth, headers, tls } = config
  const source = JSON.stringify([endpoint, basic_auth, headers, tls])
  const tails = shared(source, () => new SharedTails(clock, logger))
  return (parameters, backMs, signal) => tails.tail({ words, client, parameters, backMs, signal })
}
