import { constants, type ServerHttp2Session } from 'node:http2'
import { type Clock, durationMs } from 'tocsin/component'
import type { KeepaliveConfig } from './config.js'

/** A client may ping too often so many times before it is sent away, as gRPC's servers do it. */
const MAX_STRIKES = 2
/** Until the first frame, which every client sends at once. */
const GREETING_MS = 20_000

/** Applies the `keepalive` settings to a session, until it closes. */
export function keepAlive(
  session: ServerHttp2Session,
  config: KeepaliveConfig,
  { clock, streams }: { readonly clock: Clock; readonly streams: () => number },
): { readonly active: () => void; readonly idle: () => void; readonly answered: () => void } {
  const { server_parameters: server } = config
  const maxIdleMs = optional(server.max_connection_idle)
  const maxAgeMs = optional(server.max_connection_age)
  const graceMs = optional(server.max_connection_age_grace)
  const timers = new Map<string, () => void>()
  const cancel = (name: string): void => {
    timers.get(name)?.()
    timers.delete(name)
  }
  const set = (name: string, delayMs: number | undefined, task: () => void): void => {
    cancel(name)
    if (delayMs !== undefined && !session.destroyed) timers.set(name, clock.schedule(delayMs, task))
  }
  const idle = (): void => set('idle', maxIdleMs, () => session.close())
  const age = (): void => {
    session.close()
    set('age', graceMs, () => session.destroy())
  }
  const probe = (): void => {
    set('timeout', optional(server.timeout), () => session.destroy())
    const sent = session.ping(() => {
      cancel('timeout')
      set('probe', optional(server.time), probe)
    })
    if (!sent) session.destroy()
  }
  session.once('close', () => {
    for (const name of [...timers.keys()]) cancel(name)
  })
  set('greeting', GREETING_MS, () => session.destroy())
  session.once('remoteSettings', () => cancel('greeting'))
  idle()
  set('age', maxAgeMs, age)
  set('probe', optional(server.time), probe)
  const { answered } = limitPings(session, config.enforcement_policy, { clock, streams })
  return { active: () => cancel('idle'), idle, answered }
}

function limitPings(
  session: ServerHttp2Session,
  policy: KeepaliveConfig['enforcement_policy'],
  { clock, streams }: { readonly clock: Clock; readonly streams: () => number },
): { readonly answered: () => void } {
  const minMs = durationMs(policy.min_time)
  let lastMs = Number.NEGATIVE_INFINITY
  let strikes = 0
  session.on('ping', () => {
    const nowMs = clock.monotonicMs()
    // Without a request under way gRPC allows a ping in two hours.
    const allowedMs = streams() > 0 || policy.permit_without_stream ? minMs : 7_200_000
    if (nowMs - lastMs < allowedMs) strikes++
    lastMs = nowMs
    if (strikes <= MAX_STRIKES) return
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
    session.destroy()
  })
  return {
    // gRPC's clients in Go and C ping after each answer, to measure the connection: their servers begin anew then too.
    answered: () => {
      lastMs = Number.NEGATIVE_INFINITY
      strikes = 0
    },
  }
}

function optional(duration: string | undefined): number | undefined {
  return duration === undefined || durationMs(duration) === 0 ? undefined : durationMs(duration)
}
