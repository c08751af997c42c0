import { basename, dirname } from 'node:path'
import { type Fingerprint, HEAD_BYTES } from './fingerprint.js'
import type { OpenedFile } from './opened-file.js'
import { originalsOf } from './rotated-names.js'

/**
 * Finds among known contents those that a file may be a copy of, at a cost that does not grow with their number. What has a
 * full head is found by it. Short beginnings are often equal (`server started`): then the name must tell too.
 */
export class ContentIndex<T> {
  readonly #byHead = new Map<string, Set<T>>()
  readonly #byName = new Map<string, Set<T>>()
  /** What went away, by the name it was rotated from and its length. */
  readonly #gone = new Map<string, Set<T>>()

  /** `path`: where it was last; `goneBytes`: it is not there any more, and held so much. */
  add(known: Fingerprint, value: T, path: string, goneBytes?: number): void {
    if (known.head.length === HEAD_BYTES) put(this.#byHead, known.head.digest, value)
    put(this.#byName, known.home, value)
    put(this.#byName, known.firstPath, value)
    put(this.#byName, path, value)
    for (const key of goneKeys(known.home, goneBytes)) put(this.#gone, key, value)
  }

  remove(known: Fingerprint, value: T, path: string, goneBytes?: number): void {
    this.#byHead.get(known.head.digest)?.delete(value)
    this.#byName.get(known.home)?.delete(value)
    this.#byName.get(known.firstPath)?.delete(value)
    this.#byName.get(path)?.delete(value)
    for (const key of goneKeys(known.home, goneBytes)) this.#gone.get(key)?.delete(value)
  }

  candidates(file: OpenedFile): Set<T> {
    const found = new Set<T>()
    const addAll = (values: Iterable<T> = []): void => {
      for (const value of values) found.add(value)
    }
    const folder = dirname(file.path)
    const name = basename(file.path)
    for (let end = name.length; end > 0; end--) addAll(this.#byName.get(`${folder}/${name.slice(0, end)}`))
    for (const original of originalsOf(file.path)) addAll(this.#byName.get(original))
    if (file.head.length === HEAD_BYTES) addAll(this.#byHead.get(file.headDigest(HEAD_BYTES)))
    // Compressed and moved up between two looks: of `app.log.1` there is only `app.log.2.gz`.
    const isShortArchive = file.compressed && file.head.length < HEAD_BYTES
    for (const key of goneKeys(file.path, isShortArchive ? file.head.length : undefined))
      addAll(this.#gone.get(key))
    return found
  }
}

function goneKeys(path: string, bytes: number | undefined): string[] {
  return bytes === undefined ? [] : originalsOf(path).map(original => `${original}:${bytes}`)
}

function put<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const values = map.get(key)
  if (values) values.add(value)
  else map.set(key, new Set([value]))
}
