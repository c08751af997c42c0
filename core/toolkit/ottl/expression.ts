import type { AnyValue } from '../../model/any-value.js'
import type { Draft, View } from './draft.js'
import type { StaticType, Value } from './values.js'

/** A compiled expression. */
export interface Expression {
  readonly type: StaticType
  readonly at: number
  readonly end: number
  /** Throws `OttlEvalError`. */
  get(view: View): Value
  /** Set where the value is the same for every record. */
  readonly constant?: true
  /** Set where the expression is a path; some can be written. */
  readonly target?: Target
  /** The text as UTF-8, where it can be had without making a string; undefined when the value is no string. */
  bytes?(view: View): Uint8Array | undefined
}

/** A place in a record that editors change. */
export interface Target {
  readonly name: string
  get(draft: Draft): Value
  /** Throws `OttlEvalError` when the place cannot hold the value. */
  set(draft: Draft, value: Value): void
  /** As `set`, for a container made just now, whose items are the record's already. */
  put(draft: Draft, value: AnyValue): void
}
