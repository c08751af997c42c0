import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type KeyValueStore, PermanentError } from 'tocsin/component'
import {
  checkMatcher,
  compileMatchers,
  type Labels,
  matchesEmpty,
  type Silence,
  type SilenceFields,
} from '#history'
import { after } from './keys.js'
import { entries, parse, put, remove } from './stored.js'

/** As it is stored. */
export interface StoredSilence extends SilenceFields {
  readonly id: string
  readonly updatedAt: number
  /** It has ended, and what was still active was told. */
  readonly concluded?: true
}

interface Known {
  readonly silence: StoredSilence
  readonly matches: (labels: Labels) => boolean
}

const MOST_SILENCES = 5_000
const MOST_MATCHERS = 50
const MOST_TEXT = 2_000
const ORDER = { active: 0, pending: 1, expired: 2 } as const

/** Silences are few and asked for each notification: all of them are in memory too. */
export class Silences {
  #known = new Map<string, Known>()
  /** What the ids of the active ones were last. */
  #active = ''

  constructor(
    private readonly store: () => KeyValueStore,
    private readonly now: () => number,
  ) {}

  async load(): Promise<void> {
    const known = new Map<string, Known>()
    for await (const [, value] of entries(this.store(), 'z/', after('z'))) {
      const silence = parse<StoredSilence>(value)
      if (!silence) continue
      const before = this.#known.get(silence.id)
      const same = before && isDeepStrictEqual(before.silence.matchers, silence.matchers)
      known.set(silence.id, { silence, matches: same ? before.matches : compileMatchers(silence.matchers) })
    }
    this.#known = known
  }

  get any(): boolean {
    return this.#known.size > 0
  }

  list(): readonly Silence[] {
    return [...this.#known.values()]
      .map(({ silence }) => this.#told(silence))
      .sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.startsAt - a.startsAt || (a.id < b.id ? -1 : 1))
  }

  get(id: string): Silence | undefined {
    const known = this.#known.get(id)
    return known && this.#told(known.silence)
  }

  /** Ids of the active ones that match. */
  of(labels: Labels): readonly string[] {
    const now = this.now()
    const found: string[] = []
    for (const [id, { silence, matches }] of this.#known)
      if (stateOf(silence, now) === 'active' && matches(labels)) found.push(id)
    return found
  }

  /** Whether other silences are active than at the last call. */
  moved(): boolean {
    const now = this.now()
    const active = [...this.#known.values()]
      .filter(({ silence }) => stateOf(silence, now) === 'active')
      .map(({ silence: { id, updatedAt } }) => `${id}@${updatedAt}`)
      .join()
    const moved = active !== this.#active
    this.#active = active
    return moved
  }

  async set(given: SilenceFields & { readonly id?: string }): Promise<Silence> {
    const { id, matchers, createdBy, comment } = given
    const now = this.now()
    const before = id === undefined || id === '' ? undefined : this.#known.get(id)?.silence
    if (id && !before) throw new PermanentError('unknown_silence', `There is no silence ${id}.`)
    const fields = { matchers, startsAt: given.startsAt, endsAt: given.endsAt, createdBy, comment }
    check(fields, now)
    if (before && mayChange(before, fields, now))
      return this.#write({ ...fields, id: before.id, updatedAt: now })
    if (this.#known.size >= MOST_SILENCES) {
      throw new PermanentError('bad_silence', `There are ${MOST_SILENCES} silences already: let some expire.`)
    }
    // The new one first: between two writes nothing gets through.
    const made = await this.#write({
      ...fields,
      startsAt: Math.max(fields.startsAt, now),
      id: randomUUID(),
      updatedAt: now,
    })
    if (before && stateOf(before, now) !== 'expired') await this.expire(before.id)
    return made
  }

  async expire(id: string): Promise<void> {
    const before = this.#known.get(id)?.silence
    if (!before) throw new PermanentError('unknown_silence', `There is no silence ${id}.`)
    const now = this.now()
    const state = stateOf(before, now)
    if (state === 'expired')
      throw new PermanentError('silence_expired', `The silence ${id} has expired already.`)
    // One that had not begun has silenced nothing.
    const startsAt = Math.min(before.startsAt, now)
    const ended = { ...before, startsAt, endsAt: now, updatedAt: now }
    await this.#write(state === 'pending' ? { ...ended, concluded: true } : ended)
  }

  /** Those that ended, and whose end nobody told of. */
  ended(): readonly { readonly silence: StoredSilence; readonly matches: (labels: Labels) => boolean }[] {
    const now = this.now()
    return [...this.#known.values()].filter(
      ({ silence }) => !silence.concluded && stateOf(silence, now) === 'expired',
    )
  }

  async conclude(silence: StoredSilence): Promise<void> {
    // It may have been changed meanwhile.
    if (this.#known.get(silence.id)?.silence !== silence) return
    await this.#write({ ...silence, concluded: true })
  }

  /** Forgets those that ended before this time. */
  async trim(before: number): Promise<void> {
    const old = [...this.#known.values()].filter(
      ({ silence }) => silence.concluded && silence.endsAt < before,
    )
    if (old.length === 0) return
    await this.store().write(old.map(({ silence }) => remove(`z/${silence.id}`)))
    for (const { silence } of old) this.#known.delete(silence.id)
  }

  async #write(silence: StoredSilence): Promise<Silence> {
    const matches = compileMatchers(silence.matchers)
    await this.store().write([put(`z/${silence.id}`, silence)])
    this.#known.set(silence.id, { silence, matches })
    return this.#told(silence)
  }

  #told({ concluded: _, ...silence }: StoredSilence): Silence {
    return { ...silence, state: stateOf(silence, this.now()) }
  }
}

export function stateOf(
  { startsAt, endsAt }: Pick<SilenceFields, 'startsAt' | 'endsAt'>,
  now: number,
): Silence['state'] {
  if (now < startsAt) return 'pending'
  return now < endsAt ? 'active' : 'expired'
}

/** As Alertmanager: other matchers, or another start of one that has begun, make another silence. */
function mayChange(before: StoredSilence, next: SilenceFields, now: number): boolean {
  if (!isDeepStrictEqual(before.matchers, next.matchers)) return false
  const state = stateOf(before, now)
  if (state === 'active') return seconds(before.startsAt) === seconds(next.startsAt)
  return state === 'pending' && next.startsAt >= now
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}

function check({ matchers, startsAt, endsAt, createdBy, comment }: SilenceFields, now: number): void {
  const fail = (message: string): never => {
    throw new PermanentError('bad_silence', message)
  }
  if (matchers.length === 0) fail('at least one matcher required')
  if (matchers.length > MOST_MATCHERS) fail(`more than ${MOST_MATCHERS} matchers`)
  for (const matcher of matchers) {
    const problem = checkMatcher(matcher)
    if (problem) fail(`invalid label matcher: ${problem}`)
  }
  if (matchers.every(matchesEmpty)) fail('at least one matcher must not match the empty string')
  if (!Number.isFinite(startsAt) || !Number.isFinite(endsAt)) fail('it needs a start and an end')
  if (endsAt <= startsAt) fail('start time must be before end time')
  if (endsAt < now) fail("end time can't be in the past")
  const longest = Math.max(
    createdBy.length,
    comment.length,
    ...matchers.map(({ name, value }) => name.length + value.length),
  )
  if (longest > MOST_TEXT) fail(`a text is longer than ${MOST_TEXT} characters`)
}
