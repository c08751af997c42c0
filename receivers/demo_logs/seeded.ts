import type { Random } from 'tocsin/component'

/** A repeatable sequence: xorshift on 32 bits. Good enough to make up logs, for nothing else. */
export function seeded(seed: number): Random {
  // Neighbouring seeds start far apart; zero would stay zero.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4_294_967_296
  }
}
