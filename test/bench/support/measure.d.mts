/** What the cases that are written in TypeScript use of measure.mjs. */
export const ROUNDS: number
export interface Row {
  readonly name: string
}
export function row(
  name: string,
  own: readonly number[],
  beside: { readonly [who: string]: readonly number[] },
  goal?: { readonly to?: string; readonly atMost?: number; readonly unit?: string },
): Row
export function report(result: {
  readonly name: string
  readonly unit: string
  readonly rows: readonly Row[]
  readonly notes?: readonly string[]
}): void
