// Times are 64 bits, and a bigint is an object: where each line has one, they are two numbers. `high` is signed, `low` is not.

/** ns since the epoch. */
export function fromHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}

export function highHalf(ns: bigint): number {
  return Number(BigInt.asIntN(32, ns >> 32n))
}

export function lowHalf(ns: bigint): number {
  return Number(BigInt.asUintN(32, ns))
}

/** Whether the first is later than the second. */
export function isLater(high: number, low: number, thanHigh: number, thanLow: number): boolean {
  return high > thanHigh || (high === thanHigh && low > thanLow)
}
