/** Writes to a file_storage until it is killed, and prints what was acknowledged. Arguments: directory, name. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileStorageIn } from './file-storage.js'

const [directory = '', run = ''] = process.argv.slice(2)
const extension = fileStorageIn(directory)
await extension.start()
const { storage } = extension
const codec = { encode: String, decode: Number }
const states = storage.state('states', { codec, maxKeys: 100_000 })
const values = storage.keyValue('values')
process.stdout.write(`ready ${process.pid}\n`)

const base = { due: undefined, pinned: false }
async function writer(lane: number): Promise<void> {
  for (let n = 0; ; n++) {
    const keys = Array.from({ length: 20 }, (_, at) => `${run} ${lane} ${at}`)
    const entries = await states.read(keys.map(key => ({ key, recordIds: [] })))
    const changes = keys.map((key, at) => ({
      ...base,
      key,
      expected: entries[at]?.version,
      state: n,
      journal: [{ recordId: `${n}`, outcome: `${n}`, timer: false }],
    }))
    const written = states.write(changes, 0n)
    // All or none of these two, with the same number.
    const put = values.write(
      ['a', 'b'].map(key => ({ key: `${run} ${lane} ${key}`, value: Buffer.from(`${n}`) })),
    )
    await Promise.all([written, put])
    process.stdout.write(`ack ${lane} ${n}\n`)
    if (n % 50 === 49) await delay(1)
  }
}
await Promise.all([0, 1, 2].map(writer))
