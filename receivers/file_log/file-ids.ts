import type { Clock } from 'tocsin/component'
import { fileIdOf } from './fingerprint.js'
import type { Generation } from './generation.js'

const MAX_REMEMBERED = 10_000

/** Gives files the names that stand in record ids; no two contents get the same one. */
export class FileIds {
  readonly #clock: Clock | undefined
  /** In order of use; the oldest go. */
  readonly #used: Set<string>

  /**
   * `clock` when names are kept across restarts: they may then hold the time. Without it a name rests on the file
   * alone, so that reading the same file in another run gives the same record ids.
   */
  constructor(clock: Clock | undefined, used: readonly string[]) {
    this.#clock = clock
    this.#used = new Set(used)
  }

  give(generation: Generation): void {
    if (generation.id !== undefined) return
    const { device, inode } = generation.file.place
    const time = this.#clock ? `${this.#clock.now()}` : ''
    let id = fileIdOf(device, inode, generation.headBytes, time)
    for (let turn = 1; this.#used.has(id); turn++) {
      id = fileIdOf(device, inode, generation.headBytes, `${time}/${turn}`)
    }
    this.#used.add(id)
    if (this.#used.size > MAX_REMEMBERED) this.#used.delete(this.#used.values().next().value as string)
    generation.id = id
  }
}
