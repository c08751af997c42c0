import { statSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { TestRedis } from '../support/redis.js'

interface Entry {
  readonly place: string
  readonly text: string
}

const MOST_TOLD = 10

/**
 * Says of each incident what holds it, once the collectors have stopped: entries of their storages (queue, dead letters,
 * state, with the key) and of Redis (streams with what is pending, state); then how far files were read and what is pending.
 */
export async function whereabouts(
  incidents: readonly string[],
  storages: readonly string[],
  redis: TestRedis | undefined,
): Promise<string[]> {
  const entries = (await Promise.all(storages.map(storedIn))).flat()
  if (redis) entries.push(...heldBy(redis))
  const told = incidents.slice(0, MOST_TOLD).map(incident => {
    const word = new RegExp(`\\b${incident}\\b`)
    const places = entries.filter(({ text }) => word.test(text)).map(({ place }) => place)
    return `${incident}: ${places.length > 0 ? places.join(', ') : 'nowhere'}`
  })
  const read = entries.flatMap(({ place, text }) => {
    const [, path, offset] = /"path":"([^"]+)".*"offset":(\d+)/.exec(text) ?? []
    const size = path && statSync(path, { throwIfNoEntry: false })?.size
    return path ? [`${place}: ${path} read to ${offset} of ${size ?? 'a file that is gone'}`] : []
  })
  const pending = entries.filter(({ place }) => place.startsWith('pending')).map(({ text }) => text)
  return [...told, ...read, ...pending]
}

async function storedIn(folder: string): Promise<Entry[]> {
  const database = open({
    path: join(folder, 'data.mdb'),
    readOnly: true,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
  try {
    return [...database.getRange()].map(({ key, value }) => {
      const name = Buffer.from(key as Uint8Array).toString('latin1')
      return { place: `${folder}: ${name}`, text: `${name} ${Buffer.from(value).toString('latin1')}` }
    })
  } finally {
    await database.close()
  }
}

function heldBy(redis: TestRedis): Entry[] {
  const keys = redis.cli('--raw', 'keys', '*').split('\n').filter(Boolean)
  return keys.flatMap(key => {
    if (key.endsWith(':entries')) {
      const pending = redis.cli('--raw', 'xpending', key, 'tocsin').trim().replaceAll('\n', ' ')
      return [
        { place: key, text: redis.cli('--raw', 'xrange', key, '-', '+') },
        {
          place: `pending ${key}`,
          text: `${key}: ${redis.cli('xlen', key).trim()} entries, pending ${pending}`,
        },
      ]
    }
    return key.endsWith(':states') ? [{ place: key, text: redis.cli('--raw', 'hgetall', key) }] : []
  })
}
