/** The places on a record's way where a crash hurts most: the reliability tests kill the process there. */
export const FAILPOINTS = [
  /** The pipelines have taken a batch; nothing was done with it. */
  'after_reading',
  /** A keyed processor has decided; nothing is written. */
  'after_deciding',
  /** State and journal are durable; what was decided is on its way to the exporters. */
  'after_state_write',
  /** The durable queue has the requests; the source does not know. */
  'after_queueing',
  /** The destination has the request; the queue does not know. */
  'after_sending',
  /** A batch is settled; its checkpoint is not written. */
  'before_checkpoint',
  /** The checkpoint is durable; the journal entries of the batch are not released. */
  'after_checkpoint',
] as const

export type Failpoint = (typeof FAILPOINTS)[number]

let passed: ((name: Failpoint) => void) | undefined

/** Marks such a place. Does nothing unless `armFailpoints` was called. */
export function failpoint(name: Failpoint): void {
  passed?.(name)
}

/**
 * Arms failpoints: `after_sending=kill@3,after_reading=kill@1` kills at the third request sent, or at the first batch
 * read, whichever comes first. Only the command line calls it, with TOCSIN_FAILPOINTS. Throws on a text that it does
 * not understand. The answer disarms them.
 */
export function armFailpoints(text: string, kill: () => void): () => void {
  const left = new Map<Failpoint, number>()
  for (const part of text.split(',')) {
    const [, name, count] = /^(\w+)=kill@([1-9]\d*)$/.exec(part.trim()) ?? []
    const known = FAILPOINTS.find(failpoint => failpoint === name)
    if (!known)
      throw new Error(`"${part}" is no failpoint: write NAME=kill@N, NAME one of ${FAILPOINTS.join(', ')}.`)
    left.set(known, Number(count))
  }
  passed = name => {
    const count = left.get(name)
    if (count === undefined) return
    left.set(name, count - 1)
    if (count === 1) kill()
  }
  return () => {
    passed = undefined
  }
}
