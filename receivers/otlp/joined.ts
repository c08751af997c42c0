import { inSlices, type Steps } from 'tocsin/otlp'
import type { Scratch } from './scratch.js'

const STEP_BYTES = 1024 * 1024

/** Pieces as one, copied in steps: to copy many megabytes takes long where memory is slow. */
export async function joined(
  pieces: readonly Buffer[],
  size: number,
  memory: Pick<Scratch, 'take'> = { take: Buffer.allocUnsafe },
): Promise<Buffer> {
  if (pieces.length === 1 && size <= STEP_BYTES) return pieces[0] as Buffer
  return inSlices(joinSteps(pieces, memory.take(size)))
}

/** Fills `whole` with them. */
export function* joinSteps(pieces: readonly Buffer[], whole: Buffer): Steps<Buffer> {
  let at = 0
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += STEP_BYTES) {
      at += piece.copy(whole, at, from, from + STEP_BYTES)
      yield
    }
  }
  return whole
}
