/** How far the source is read. */
export interface Position {
  /** Every line up to this `_time` that was there at `asOf` was offered, ns since the epoch. */
  readonly completeTo: bigint
  /** The same, but seen by a query: the tail may have skipped lines after this. */
  readonly checkedTo: bigint
  /** The wall clock then. */
  readonly asOf: bigint
}

export function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

export function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
