import type { KeyValueChange, KeyValueStore } from 'tocsin/component'

const PAGE = 1_000
const WRITE_CHANGES = 500

export function put(key: string, value: unknown): KeyValueChange {
  return { key, value: Buffer.from(JSON.stringify(value)) }
}

export function remove(key: string): KeyValueChange {
  return { key, value: undefined }
}

/** What cannot be read, such as what another version wrote, is not there. */
export function parse<T>(bytes: Uint8Array | undefined): T | undefined {
  if (!bytes) return undefined
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as T
  } catch {
    return undefined
  }
}

export async function get<T>(store: KeyValueStore, key: string): Promise<T | undefined> {
  return parse<T>(await store.get(key))
}

/** Those that are there. */
export async function getAll<T>(store: KeyValueStore, keys: readonly string[]): Promise<readonly T[]> {
  const found: T[] = []
  for (let at = 0; at < keys.length; at += PAGE)
    for (const value of await Promise.all(keys.slice(at, at + PAGE).map(key => get<T>(store, key))))
      if (value !== undefined) found.push(value)
  return found
}

/** All entries, a page at a time: what is not taken is not read. */
export async function* entries(
  store: KeyValueStore,
  from: string,
  to: string,
  page = PAGE,
): AsyncGenerator<readonly [key: string, value: Uint8Array]> {
  for (let start = from; ; ) {
    const found = await store.range(start, to, page)
    yield* found
    const last = found.at(-1)
    if (!last || found.length < page) return
    start = `${last[0]}\0`
  }
}

/** In parts that no storage chokes on. What a failure leaves unwritten is written again: nothing here is a sum. */
export async function write(store: KeyValueStore, changes: readonly KeyValueChange[]): Promise<void> {
  for (let at = 0; at < changes.length; at += WRITE_CHANGES)
    await store.write(changes.slice(at, at + WRITE_CHANGES))
}
