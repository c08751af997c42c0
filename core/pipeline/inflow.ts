import type { Subject } from 'rxjs'
import type { Records, Screen, ScreenGroup } from '../component/index.js'
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

interface Place extends Inlet {
  /** The first batch of those that are held that it was not told of. */
  from: number
}

interface Group {
  readonly wanting: (records: Records) => Iterable<unknown> | undefined
  readonly places: readonly Place[]
  readonly byMember: ReadonlyMap<unknown, readonly Place[]>
}

/**
 * Hands the batches of a receiver to its pipelines, past those that would drop all of a batch at their first step. With
 * hundreds of rules on one source a batch then costs as much as the rules it has something for.
 */
export class Inflow {
  readonly #places: readonly Place[]
  /** Known with the first batch, when all processors have started. */
  #groups: readonly Group[] | undefined
  /** Those that take every batch. */
  #always: readonly Place[] = []
  /** Batches that some pipeline was passed over with and not told of. */
  #held: Records[] = []
  #heldRecords = 0

  constructor(inlets: readonly Inlet[]) {
    this.#places = inlets.map(({ way, screen }) => ({ way, screen, from: 0 }))
  }

  /** The batch goes on under its obligation, split over the pipelines that take it. */
  push(batch: PipelineBatch): void {
    this.#groups ??= this.#group()
    const taking = this.#groups.length > 0 ? this.#taking(batch.records, this.#groups) : this.#places
    const parts = batch.split(taking.map(() => batch.records))
    for (const [index, { way }] of taking.entries()) way.next(parts[index] as PipelineBatch)
  }

  /** Tells screens what they have not been told. */
  tell(): void {
    const to = this.#held.length
    if (to === 0) return
    const between = this.#rangesTo(to)
    for (const place of this.#places) {
      tellOne(place, to, between)
      place.from = 0
    }
    this.#held = []
    this.#heldRecords = 0
  }

  complete(): void {
    this.tell()
    for (const { way } of this.#places) way.complete()
  }

  #taking(records: Records, groups: readonly Group[]): readonly Place[] {
    if (this.#heldRecords + records.length > MAX_UNTOLD_RECORDS) this.tell()
    const taking = new Set(this.#always)
    for (const group of groups) for (const place of placesIn(group, records)) taking.add(place)
    const at = this.#held.length
    const between = this.#rangesTo(at)
    for (const place of taking) {
      tellOne(place, at, between)
      place.from = at + 1
    }
    this.#held.push(records)
    this.#heldRecords += records.length
    return [...taking]
  }

  #group(): readonly Group[] {
    const byGroup = new Map<ScreenGroup | undefined, Place[]>()
    for (const place of this.#places) {
      const { screen } = place
      const group = screen?.member() === undefined ? undefined : screen.group
      byGroup.set(group, [...(byGroup.get(group) ?? []), place])
    }
    const groups: Group[] = []
    for (const [group, places] of byGroup) {
      if (!group || places.length < MANY) {
        this.#always = [...this.#always, ...places]
        continue
      }
      const byMember = new Map<unknown, Place[]>()
      for (const place of places) {
        const member = place.screen?.member()
        byMember.set(member, [...(byMember.get(member) ?? []), place])
      }
      groups.push({ wanting: records => group.wanting(records), places, byMember })
    }
    return groups
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

/** Of a group that fails each takes the batch, and says what is wrong where that costs nobody else anything. */
function placesIn({ wanting, places, byMember }: Group, records: Records): readonly Place[] {
  try {
    const members = wanting(records)
    return members ? Array.from(members, member => byMember.get(member) ?? []).flat() : places
  } catch {
    return places
  }
}

/** Only counts are lost where it fails. */
function tellOne({ screen, from }: Place, to: number, between: (from: number) => Records): void {
  if (!screen || from >= to) return
  try {
    screen.dropped(between(from))
  } catch {}
}
