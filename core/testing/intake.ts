import type { Busy, Intake, LogRecord, Records, Settled } from '../component/index.js'

/** A batch that a receiver offered. */
export interface CollectedBatch {
  readonly records: Records
  /** Settles the batch, as a pipeline does when its records are delivered. Done at once unless `manual`. */
  settle(deadLettered?: number): void
  /** True once the receiver said that the source will not deliver these records again. */
  released: boolean
}

/** An intake that keeps what a receiver offers. */
export interface CollectingIntake extends Intake {
  readonly batches: CollectedBatch[]
  readonly discards: Map<string, number>
  readonly ended: boolean
  /** All records so far. */
  records(): LogRecord[]
  /** Answers `Busy` until it is called with `undefined`. */
  setBusy(busy: Busy | undefined): void
  /** Resolves when at least `count` records came in. Times out after 60 s of real time. */
  waitFor(count: number): Promise<LogRecord[]>
}

/** `manual`: batches settle only when the test calls `settle`. */
export function collectingIntake({ manual = false }: { readonly manual?: boolean } = {}): CollectingIntake {
  const batches: CollectedBatch[] = []
  const discards = new Map<string, number>()
  let busy: Busy | undefined
  let ended = false
  let wake: (() => void)[] = []
  const notify = (): void => {
    const woken = wake
    wake = []
    for (const resolve of woken) resolve()
  }
  const intake: CollectingIntake = {
    batches,
    discards,
    get ended() {
      return ended
    },
    records: () => batches.flatMap(batch => batch.records),
    setBusy(value) {
      busy = value
      notify()
    },
    async ready() {
      while (busy) await new Promise<void>(resolve => wake.push(resolve))
    },
    discarded(reason, count = 1) {
      discards.set(reason, (discards.get(reason) ?? 0) + count)
    },
    end() {
      ended = true
      notify()
    },
    offer(records) {
      if (busy) return Promise.resolve(busy)
      return new Promise<Settled>(resolve => {
        const batch: CollectedBatch = {
          records,
          released: false,
          settle: (deadLettered = 0) =>
            resolve({
              deadLettered,
              release: () => {
                batch.released = true
              },
            }),
        }
        batches.push(batch)
        if (!manual) batch.settle()
        notify()
      })
    },
    async offerAll(records) {
      if (busy) return busy
      const settled = (await Promise.all(records.map(batch => intake.offer(batch)))) as Settled[]
      return {
        deadLettered: settled.reduce((sum, { deadLettered }) => sum + deadLettered, 0),
        release: () => {
          for (const each of settled) each.release()
        },
      }
    },
    async waitFor(count) {
      const deadline = Date.now() + 60_000
      while (intake.records().length < count) {
        if (Date.now() > deadline) {
          throw new Error(`Waited for ${count} records; ${intake.records().length} came in 60 s.`)
        }
        await Promise.race([
          new Promise<void>(resolve => wake.push(resolve)),
          new Promise<void>(resolve => setTimeout(resolve, 50)),
        ])
      }
      return intake.records()
    },
  }
  return intake
}
