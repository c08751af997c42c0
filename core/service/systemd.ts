import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Clock, errorText, type Logger } from '../component/index.js'

/** What systemd wants to know of a service of `Type=notify`. Without systemd nothing happens. */
export interface ServiceManager {
  /** It works, after a start or a reload. Begins to feed the watchdog. */
  ready(status: string): Promise<void>
  reloading(): Promise<void>
  stopping(): Promise<void>
  /** Ends feeding the watchdog. */
  close(): void
}

export interface SystemdOptions {
  readonly env: NodeJS.ProcessEnv
  readonly pid: number
  readonly clock: Clock
  readonly logger: Logger
  /** False lets the watchdog expire: systemd starts the service again. */
  healthy(): boolean
  readonly notify?: Notify
}

/** Sends assignments such as `READY=1`. */
export type Notify = (assignments: readonly string[], env: NodeJS.ProcessEnv) => Promise<unknown>

const TIMEOUT_MS = 5_000

/**
 * Talks to systemd through its `systemd-notify`: Node cannot send to the socket itself. The unit needs
 * `NotifyAccess=all`.
 */
export function createServiceManager(options: SystemdOptions): ServiceManager {
  return options.env.NOTIFY_SOCKET ? new Systemd(options) : NOBODY
}

const NOBODY: ServiceManager = {
  ready: async () => undefined,
  reloading: async () => undefined,
  stopping: async () => undefined,
  close: () => undefined,
}

class Systemd implements ServiceManager {
  readonly #options: SystemdOptions
  readonly #watchdogMs: number | undefined
  #cancel: (() => void) | undefined
  #closed = false
  #unhealthy = false

  constructor(options: SystemdOptions) {
    this.#options = options
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = options.env
    const ours = pid === undefined || Number(pid) === options.pid
    this.#watchdogMs = ours && Number(usec) > 0 ? Number(usec) / 1_000 : undefined
  }

  async ready(status: string): Promise<void> {
    await this.#send('READY=1', `STATUS=${oneLine(status)}`)
    if (this.#watchdogMs !== undefined && !this.#cancel) this.#feed(this.#watchdogMs)
  }

  async reloading(): Promise<void> {
    const usec = process.hrtime.bigint() / 1_000n
    await this.#send('RELOADING=1', `MONOTONIC_USEC=${usec}`, 'STATUS=Reading the configuration again')
  }

  async stopping(): Promise<void> {
    await this.#send('STOPPING=1', 'STATUS=Draining')
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  /** Twice in each interval, as systemd recommends; an event loop that stands still feeds nothing. */
  #feed(intervalMs: number): void {
    this.#cancel = this.#options.clock.schedule(intervalMs / 2, () => {
      if (this.#closed) return
      void this.#feedOnce()
      this.#feed(intervalMs)
    })
  }

  async #feedOnce(): Promise<void> {
    if (this.#options.healthy()) {
      this.#unhealthy = false
      return this.#send('WATCHDOG=1')
    }
    if (!this.#unhealthy) {
      this.#options.logger.error('A pipeline is dead: the watchdog of systemd is no longer fed.')
    }
    this.#unhealthy = true
  }

  async #send(...assignments: string[]): Promise<void> {
    const { env, notify = systemdNotify, logger } = this.#options
    try {
      await notify(assignments, env)
    } catch (error) {
      const fix = 'systemd-notify has to be on the PATH, and the unit needs NotifyAccess=all'
      logger.warn('systemd could not be told about the state of the service.', {
        told: assignments[0],
        reason: `${errorText(error)} (${fix})`,
      })
    }
  }
}

/** It waits until systemd has read the message, so that its sender can still be told. */
async function systemdNotify(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await promisify(execFile)('systemd-notify', [...assignments], { env, timeout: TIMEOUT_MS })
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 500)
}
