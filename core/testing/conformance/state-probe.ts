import { deepEqual } from 'node:assert/strict'
import type { StateChange, StateStore } from '../../component/index.js'

/** The state that the checks keep. */
export interface Probe {
  readonly n: number
}

export const CODEC = {
  encode: (value: Probe) => JSON.stringify(value),
  decode: (text: string): Probe => JSON.parse(text),
}
export const NOW = 1_768_471_200_000_000_000n
export const MINUTE = 60_000_000_000n

export const NOTHING = { state: undefined, due: undefined, pinned: false, version: undefined, journal: [] }

export type PartialChange = Pick<StateChange<Probe>, 'key' | 'state'> & Partial<StateChange<Probe>>

export function change(partial: PartialChange): StateChange<Probe> {
  return { expected: undefined, due: undefined, pinned: false, journal: [], ...partial }
}

export function entry(recordId: string, outcome: string) {
  return { recordId, outcome, timer: false }
}

/** Writes what must apply; answers how many keys were evicted. */
export async function write(
  store: StateStore<Probe>,
  changes: readonly PartialChange[],
  now = NOW,
): Promise<number> {
  const { applied, evicted } = await store.write(changes.map(change), now)
  deepEqual(
    applied,
    changes.map(() => true),
  )
  return evicted
}

export async function one(store: StateStore<Probe>, key: string, recordIds: readonly string[] = []) {
  const [found] = await store.read([{ key, recordIds }])
  if (!found) throw new Error('read answered fewer entries than it was asked for')
  return found
}
