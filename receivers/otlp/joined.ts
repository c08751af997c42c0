import { inSlices, type Steps } from 'tocsin/otlp'

const STEP_BYTES = 1024 * 1024

/** Pieces as one, copied in steps: to copy many megabytes takes long where memory is slow. */
export async function joined(pieces: readonly Buffer[], size: number): Promise<Buffer> {
  if (size <= STEP_BYTES) return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size)
  return inSlices(joinSteps(pieces, size))
}

export function* joinSteps(pieces: readonly Buffer[], size: number): Steps<Buffer> {
  const whole = Buffer.allocUnsafe(size)
  let at = 0
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += STEP_BYTES) {
      at += piece.copy(whole, at, from, from + STEP_BYTES)
      yield
    }
  }
  return whole
}
