import type { StateIndex } from '#state'

/** The part of a namespace that is shared by those who use it at the same time, before and after a reload. */
export interface SharedState<S> {
  readonly index: StateIndex<S>
  loading: Promise<void> | undefined
  /** Writes take turns: a change is in the index only when it is durable. */
  turn: Promise<unknown>
  /** Rows that say which entries of the journal are released. */
  gone: readonly { readonly key: Buffer; readonly value: Uint8Array | undefined }[]
}
