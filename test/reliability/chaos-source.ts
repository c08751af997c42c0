import { spawnSync } from 'node:child_process'
import { appendFile, copyFile, mkdir, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from 'tocsin/component'
import { type Cut, pick, VictoriaLogsServer } from '../support/victorialogs-server.js'

/** Something that happens to one part of the whole, and is over when it resolves. */
export interface Fault {
  readonly name: string
  act(): Promise<void> | void
}

export interface ChaosSource {
  /** The receiver's part of the configuration. */
  readonly receiver: string
  /** How many collectors share it. */
  readonly collectors: number
  /** Resolves when lines that are written now will be read. */
  ready(): Promise<void>
  write(lines: readonly string[]): Promise<void>
  readonly faults: readonly Fault[]
  /** False while a process of its own starts. */
  readonly runs?: () => boolean
  /** Folders of file_storage of its own. */
  readonly storages?: readonly string[]
  /** What processes of its own said that ended by themselves. */
  readonly accidents?: readonly string[]
  close(): Promise<void>
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** A VictoriaLogs that now and then disconnects, stalls, repeats, fails, and skips one line in fifty all the time. */
export async function victoriaLogsSource(random: Random): Promise<ChaosSource> {
  const seed = Math.floor(random() * 2 ** 31)
  const server = await VictoriaLogsServer.start({ seed })
  let restarted: Promise<void> = Promise.resolve()
  const { faults } = server
  Object.assign(faults, {
    chunkBytes: [1, 3_000],
    skipProbability: 0.02,
    repeatOnConnect: 30,
    shuffleFields: true,
  })
  return {
    collectors: 1,
    receiver: `
  victorialogs:
    endpoint: ${server.url}
    query: '*'
    storage: file_storage
    reconcile: { interval: 1s, look_back: 2m }`,
    async ready() {
      while (server.openTails === 0) await sleep(20)
    },
    async write(lines) {
      const time = server.now()
      server.insert(
        ...lines.map((msg, index) => ({ msg, time: time + BigInt(index), stream: { app: 'shop' } })),
      )
    },
    faults: [
      { name: 'source cuts', act: () => server.cut(pick<Cut>(['end', 'destroy', 'reset'], random)) },
      {
        name: 'source down',
        act() {
          const forMs = 200 + random() * 500
          restarted = restarted.then(async () => {
            await server.down()
            await sleep(forMs)
            await server.up()
          })
          return restarted
        },
      },
      {
        name: 'source stalls',
        async act() {
          faults.stalled = true
          await sleep(200 + random() * 500)
          faults.stalled = false
        },
      },
      {
        name: 'source fails',
        act() {
          faults.fail = { status: 503, body: 'overloaded', times: 2 }
          server.cut('reset')
        },
      },
      {
        name: 'source cuts answers',
        async act() {
          faults.cutQuery = { afterBytes: [0, 50_000], how: ['end', 'destroy', 'reset'] }
          faults.cutTail = { afterBytes: [0, 50_000], how: ['end', 'destroy', 'reset'] }
          server.cut('end')
          await sleep(1_000)
          faults.cutQuery = undefined
          faults.cutTail = undefined
        },
      },
    ],
    close: () => server.down(),
  }
}

/** A file that is written to in the middle of lines, and rotated; every other time its records have several lines. */
export async function fileSource(folder: string, random: Random): Promise<ChaosSource> {
  const logs = join(folder, 'logs')
  await mkdir(logs)
  const path = join(logs, 'app.log')
  const joined = random() < 0.5
  const logrotate = await logrotateOf(path, folder, random)
  // Higher than what logrotate numbers.
  let rotations = 1_000
  let turn = Promise.resolve()
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    turn = turn.then(task)
    return turn
  }
  return {
    collectors: 1,
    receiver: `
  file_log:
    include: ['${logs}/app.log*']
    start_at: beginning
    poll_interval: 20ms${joined ? "\n    multiline: { line_start_pattern: '^n=' }" : ''}
    storage: file_storage`,
    ready: () => inTurn(() => appendFile(path, '')),
    write: lines =>
      inTurn(async () => {
        const ends = joined ? '\n  at one\n  at another\n' : '\n'
        const bytes = Buffer.from(lines.map(line => line + ends).join(''))
        const middle = Math.floor(random() * bytes.length)
        await appendFile(path, bytes.subarray(0, middle))
        await sleep(10)
        await appendFile(path, bytes.subarray(middle))
      }),
    faults: [
      {
        name: 'source rotates',
        act: () =>
          inTurn(async () => {
            await rename(path, `${path}.${rotations++}`)
            await appendFile(path, '')
          }),
      },
      {
        name: 'source copied and truncated',
        act: () =>
          inTurn(async () => {
            await copyFile(path, `${path}.${rotations++}`)
            await truncate(path)
          }),
      },
      ...(logrotate ? [{ name: 'source rotated by logrotate', act: () => inTurn(logrotate) }] : []),
    ],
    close: async () => {},
  }
}

/** Names that move on, as Debian's logrotate does it, in one of its usual ways; undefined where there is none. */
async function logrotateOf(
  path: string,
  folder: string,
  random: Random,
): Promise<(() => Promise<void>) | undefined> {
  const options = pick(
    ['create', 'copytruncate', 'create\ncompress', 'copytruncate\ncompress\ndelaycompress'],
    random,
  )
  if (spawnSync('logrotate', ['--version']).status !== 0) return undefined
  const file = join(folder, 'rotate.conf')
  await writeFile(file, `"${path}" {\nrotate 50\n${options}\n}\n`, { mode: 0o644 })
  return async () => {
    const { status, stderr } = spawnSync('logrotate', ['-f', '-s', join(folder, 'rotate.state'), file])
    if (status !== 0) throw new Error(`logrotate failed: ${stderr}`)
  }
}
