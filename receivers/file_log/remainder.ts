import type { Encoding } from './encoding.js'
import type { Ahead } from './framer.js'
import type { Generation } from './generation.js'

/** What was read of a file and not delivered when the file was truncated. */
export interface Remainder {
  readonly generation: Generation
  readonly bytes: Buffer
  /** Where it was in the file. */
  readonly at: number
  readonly ahead: Ahead
  readonly encoding: Encoding
}
