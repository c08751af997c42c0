import { randomUUID } from 'node:crypto'
import type { ComponentContext } from 'tocsin/component'
import { redisScript } from '#state'
import type { Connection } from './connection.js'

const CHECK_EVERY_MS = 10_000

const MARK = redisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('PEXPIRE', KEYS[1], 2592000000)
return redis.call('GET', KEYS[1])`)

/** A key that is written once: when it is another one, or gone, Redis has lost what it held. */
export class Marker {
  readonly #context: Pick<ComponentContext<unknown>, 'clock'>
  readonly #connection: () => Connection
  readonly #key: string
  readonly #onLost: () => void
  #known: string | undefined
  #cancel: () => void = () => undefined

  constructor(
    context: Pick<ComponentContext<unknown>, 'clock'>,
    { connection, prefix, onLost }: { connection: () => Connection; prefix: string; onLost: () => void },
  ) {
    this.#context = context
    this.#connection = connection
    this.#key = `${prefix}:{marker}`
    this.#onLost = onLost
  }

  /** Looks now, and then every ten seconds. */
  async watch(): Promise<void> {
    this.stop()
    this.#cancel = this.#context.clock.schedule(CHECK_EVERY_MS, () => void this.watch())
    try {
      const found = String(await this.#connection().run(MARK, [this.#key], [randomUUID()]))
      const lost = this.#known !== undefined && found !== this.#known
      this.#known = found
      if (lost) this.#onLost()
    } catch {
      // Whoever needs Redis tells what is wrong with it.
    }
  }

  stop(): void {
    this.#cancel()
  }
}
