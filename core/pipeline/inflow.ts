import type { Subject } from 'rxjs'
import type { Records, Screen } from '../component/index.js'
import type { PipelineBatch } from './batch.js'

/** Where the batches of a receiver go into a pipeline. */
export interface Inlet {
  readonly way: Pick<Subject<PipelineBatch>, 'next' | 'complete'>
  /** Of the pipeline's first processor. */
  readonly screen?: Screen | undefined
}

/** Below this, to ask first would cost more than it spares. */
const MANY = 4
/** So many records are held at most to be told to those that were passed over, which the next second does anyhow. */
const MAX_UNTOLD_RECORDS = 8_192

interface Screened extends Inlet {
  screen: Screen | undefined
  /** The first batch of those that are held that it was not told of. */
  from: number
}

/**
 * Hands the batches of a receiver to its pipelines, past those that would drop all of a batch at their first step. With
 * hundreds of rules on one source a batch then costs as much as the rules it has something for.
 */
export class Inflow {
  readonly #inlets: readonly Screened[]
  readonly #screens: boolean
  /** Batches that some pipeline was passed over with and not told of. */
  #held: Records[] = []
  #heldRecords = 0

  constructor(inlets: readonly Inlet[]) {
    this.#inlets = inlets.map(({ way, screen }) => ({ way, screen, from: 0 }))
    this.#screens = inlets.filter(({ screen }) => screen).length >= MANY
  }

  /** The batch goes on under its obligation, split over the pipelines that take it. */
  push(batch: PipelineBatch): void {
    const taking = this.#screens ? this.#taking(batch.records) : this.#inlets
    const parts = batch.split(taking.map(() => batch.records))
    for (const [index, { way }] of taking.entries()) way.next(parts[index] as PipelineBatch)
  }

  /** Tells screens what they have not been told. */
  tell(): void {
    const to = this.#held.length
    if (to === 0) return
    const between = this.#rangesTo(to)
    for (const inlet of this.#inlets) {
      this.#tell(inlet, to, between)
      inlet.from = 0
    }
    this.#held = []
    this.#heldRecords = 0
  }

  complete(): void {
    this.tell()
    for (const { way } of this.#inlets) way.complete()
  }

  #taking(records: Records): readonly Screened[] {
    if (this.#heldRecords + records.length > MAX_UNTOLD_RECORDS) this.tell()
    const at = this.#held.length
    const between = this.#rangesTo(at)
    const taking: Screened[] = []
    for (const inlet of this.#inlets) {
      if (dropsAll(inlet, records)) continue
      this.#tell(inlet, at, between)
      inlet.from = at + 1
      taking.push(inlet)
    }
    this.#held.push(records)
    this.#heldRecords += records.length
    return taking
  }

  #tell(inlet: Screened, to: number, between: (from: number) => Records): void {
    if (!inlet.screen || inlet.from >= to) return
    try {
      inlet.screen.dropped(between(inlet.from))
    } catch {
      inlet.screen = undefined
    }
  }

  /** The records of the batches from one until before `to`; most pipelines ask for the same. */
  #rangesTo(to: number): (from: number) => Records {
    const known = new Map<number, Records>()
    return from => {
      const records =
        known.get(from) ?? (to - from === 1 ? this.#held[from] : this.#held.slice(from, to).flat())
      known.set(from, records as Records)
      return records as Records
    }
  }
}

/** One that throws is asked no more: its pipeline takes every batch, and says there what is wrong. */
function dropsAll(inlet: Screened, records: Records): boolean {
  try {
    return inlet.screen?.dropsAll(records) ?? false
  } catch {
    inlet.screen = undefined
    return false
  }
}
