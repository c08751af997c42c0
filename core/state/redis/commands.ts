import { createHash } from 'node:crypto'

/** What a component may do with the connection of a `redis_storage` extension. */
export interface RedisCommands {
  /** All keys start with it. */
  readonly prefix: string
  readonly leaseTtlMs: number
  /** Runs a script on the keys of one slot. Rejects with a RetryableError, after the configured time at the latest. */
  run(script: RedisScript, keys: readonly string[], args: readonly (string | Uint8Array)[]): Promise<unknown>
  /** The same, with bytes in the answer. */
  runBytes(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown>
  call(command: string, args: readonly (string | number)[]): Promise<unknown>
  callBytes(command: string, args: readonly (string | number)[]): Promise<unknown>
}

/** An extension whose connection others may use: commands are for while it runs. */
export interface RedisExtension {
  readonly redis: RedisCommands
}

export interface RedisScript {
  readonly text: string
  readonly sha: string
}

export function redisScript(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
