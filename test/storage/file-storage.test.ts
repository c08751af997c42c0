import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Clock, KeyValueStore, StateOptions, StateStore } from 'tocsin/component'
import {
  collectingLogger,
  keyValueConformance,
  type LogEntry,
  stateStoreConformance,
  testContext,
  VirtualClock,
} from 'tocsin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { damageOf } from '../../core/extensions/file_storage/damage.js'
import { FileStorage } from '../../core/extensions/file_storage/file-storage.js'
import { systemClock } from '../../core/service/clock.js'
import { bundleProgram, type Program, startProgram } from '../support/child.js'

const NUMBERS = { codec: { encode: String, decode: Number }, maxKeys: 1_000 }

let directory: string
const open: FileStorage[] = []
let program: Program

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-file-storage-'))
  program = await bundleProgram('test/support/file-storage-writer.ts')
})

afterEach(async () => {
  await Promise.all(open.splice(0).map(extension => extension.stop()))
})

afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  await program.remove()
})

function create(
  name: string,
  {
    logs = [],
    timeout = '0',
    clock = systemClock,
  }: { logs?: LogEntry[]; timeout?: string; clock?: Clock } = {},
) {
  const config = { directory: join(directory, name), timeout }
  const context = testContext({ config, clock, logger: collectingLogger(logs) })
  return Object.assign(new FileStorage(context), { statuses: context.statuses })
}

async function start(name: string, options: { logs?: LogEntry[]; timeout?: string } = {}) {
  const extension = create(name, options)
  await extension.start()
  open.push(extension)
  return extension
}

async function attach(name: string) {
  const extension = create(name)
  await extension.attach()
  open.push(extension)
  return extension
}

describe('file_storage', () => {
  let namespaces = 0
  const checks = [
    ...stateStoreConformance('state', async options =>
      (await start('conformance')).storage.state(`n${namespaces++}`, options),
    ),
    ...keyValueConformance('key-value', async () =>
      (await start('conformance')).storage.keyValue(`n${namespaces++}`),
    ),
    // The same again when what was written is read from the disk.
    ...stateStoreConformance(
      'state, reopened before each call',
      async options => reopening('reopened', `n${namespaces++}`, options),
      // Nobody holds a version through a restart.
    ).filter(({ name }) => !name.includes('does not mistake')),
  ]
  for (const check of checks) it(check.name, check.run)

  it('makes the directory for its user alone, and says where it is', async () => {
    const { storage } = await start('nested/deep')
    expect((await stat(join(directory, 'nested/deep'))).mode & 0o777).toBe(0o700)
    expect(storage.description).toContain(join(directory, 'nested/deep'))
    expect(storage.shared).toBe(false)
  })

  it('keeps its files for its user alone, also those of before', async () => {
    const modes = () =>
      Promise.all(
        ['data.mdb', 'lock.mdb', 'tocsin.lock'].map(
          async file => (await stat(join(directory, 'private', file))).mode & 0o777,
        ),
      )
    await mkdir(join(directory, 'private'), { mode: 0o755 })
    const first = await start('private')
    expect(await modes()).toEqual([0o600, 0o600, 0o600])
    await first.stop()
    await chmod(join(directory, 'private', 'data.mdb'), 0o664)
    await start('private')
    expect(await modes()).toEqual([0o600, 0o600, 0o600])
    // A directory that somebody else made keeps its mode.
    expect((await stat(join(directory, 'private'))).mode & 0o777).toBe(0o755)
  })

  it('warns of a directory that others can write or replace, or of a link to one', async () => {
    const warningsOf = async (name: string): Promise<string[]> => {
      const logs: LogEntry[] = []
      await (await start(name, { logs })).stop()
      return logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
    }
    for (const [name, mode] of [
      ['open', 0o777],
      ['sticky', 0o1777],
      ['group', 0o770],
      ['parent', 0o777],
    ] as const) {
      await mkdir(join(directory, name))
      await chmod(join(directory, name), mode)
    }
    await symlink(join(directory, 'open'), join(directory, 'link'))
    const [fix] = await warningsOf('open')
    expect(fix).toContain(`chmod 700 ${join(directory, 'open')}`)
    expect((await warningsOf('link'))[0]).toContain(`a link to ${join(directory, 'open')}`)
    expect(await warningsOf('sticky')).toHaveLength(1)
    expect(await warningsOf('group')).toEqual([])
    expect((await warningsOf('parent/mine'))[0]).toContain(`chmod o-w ${join(directory, 'parent')}`)
    expect(await warningsOf('sticky/mine')).toEqual([])
    expect(await warningsOf('fine')).toEqual([])
  })

  describe('whose directory goes while it runs', () => {
    const written = async (extension: FileStorage, key: string): Promise<void> =>
      extension.storage.keyValue('n').write([{ key, value: Buffer.from(key) }])

    async function running(name: string) {
      const clock = new VirtualClock()
      const logs: LogEntry[] = []
      const extension = create(name, { logs, clock })
      await extension.start()
      open.push(extension)
      await written(extension, 'before')
      const path = join(directory, name)
      const noticed = async (status: string): Promise<void> => {
        // Not its clock alone: the look at the files is real.
        await clock.advance(20_000)
        await expect.poll(() => extension.statuses.at(-1)?.status).toBe(status)
      }
      const errors = () => logs.filter(({ level }) => level === 'error').map(({ message }) => message)
      return { extension, path, logs, noticed, errors }
    }

    it('says within a minute that it was deleted, and saves what it has where it was', async () => {
      const { extension, path, errors, noticed } = await running('deleted')
      await rm(path, { recursive: true })
      await noticed('permanent_error')
      expect(errors()).toEqual([expect.stringMatching(/deleted was deleted while .*stop the collector/)])
      // A write that works does not make it well.
      await written(extension, 'after')
      expect(extension.statuses.at(-1)?.status).toBe('permanent_error')
      await extension.stop()
      expect((await stat(path)).mode & 0o777).toBe(0o700)
      expect((await stat(join(path, 'data.mdb'))).mode & 0o777).toBe(0o600)
      const next = (await start('deleted')).storage.keyValue('n')
      expect([await textOf(next, 'before'), await textOf(next, 'after')]).toEqual(['before', 'after'])
    })

    it('an empty one that stands there takes what it has; one that holds another database is left alone', async () => {
      const empty = await running('emptied')
      await rm(empty.path, { recursive: true })
      await mkdir(empty.path)
      await empty.noticed('permanent_error')
      await empty.extension.stop()
      expect(await textOf((await start('emptied')).storage.keyValue('n'), 'before')).toBe('before')

      const { extension, path, logs, noticed, errors } = await running('replaced')
      await cp(path, `${path}.copy`, { recursive: true })
      await rename(path, `${path}.old`)
      await rename(`${path}.copy`, path)
      await noticed('permanent_error')
      expect(errors()[0]).toContain('replaced was replaced while')
      const others = await readFile(join(path, 'data.mdb'))
      await written(extension, 'after')
      await extension.stop()
      expect(await readFile(join(path, 'data.mdb'))).toEqual(others)
      const saved = String(logs.at(-1)?.attributes.saved_in)
      expect(saved).toMatch(/replaced\.saved-\d+$/)
      const rescued = await start(relative(directory, saved))
      expect(await textOf(rescued.storage.keyValue('n'), 'after')).toBe('after')
    })

    it('is well again when it comes back', async () => {
      const { extension, path, noticed } = await running('moved')
      await rename(path, `${path}.away`)
      await noticed('permanent_error')
      await rename(`${path}.away`, path)
      await noticed('ok')
      await extension.stop()
      expect(await textOf((await start('moved')).storage.keyValue('n'), 'before')).toBe('before')
    })

    it('says when nothing can be saved', async () => {
      const { extension, path, errors } = await running('lost')
      await rm(path, { recursive: true })
      await writeFile(path, 'a file')
      await rm(`${path}.saved-${process.pid}`, { recursive: true, force: true })
      await writeFile(`${path}.saved-${process.pid}`, '')
      await extension.stop()
      expect(errors()).toEqual([expect.stringContaining('could not be saved')])
    })
  })

  it('keeps namespaces apart, with what they hold after a restart', async () => {
    const first = await start('namespaces')
    for (const [at, name] of ['a', 'b', 'ab'].entries()) {
      await first.storage.keyValue(name).write([{ key: 'x', value: Buffer.from(`${at}`) }])
    }
    await first.stop()
    const second = await start('namespaces')
    await second.storage.keyValue('c').write([{ key: 'x', value: Buffer.from('3') }])
    for (const [at, name] of ['a', 'b', 'ab', 'c'].entries()) {
      const entries = await second.storage.keyValue(name).range('', '~', 9)
      expect(entries.map(([key, value]) => [key, String(value)])).toEqual([['x', `${at}`]])
    }
  })

  it('is shared by the instances before and after a reload', async () => {
    const before = await start('reload')
    const state = before.storage.state('s', NUMBERS)
    await state.write([{ ...CHANGE, key: 'k', state: 1 }], 0n)
    const after = await start('reload')
    expect(await stateOf(after.storage.state('s', NUMBERS), 'k')).toBe(1)
    await before.stop()
    expect(await stateOf(after.storage.state('s', NUMBERS), 'k')).toBe(1)
    await expect(state.read([{ key: 'k', recordIds: [] }])).rejects.toMatchObject({ code: 'storage_closed' })
  })

  it('refuses keys that are too long, and ranges with longer borders work', async () => {
    const store = (await start('keys')).storage.keyValue('s')
    const longest = 'k'.repeat(1_900)
    await store.write([{ key: longest, value: Buffer.from('1') }])
    await expect(store.write([{ key: `${longest}k`, value: Buffer.from('1') }])).rejects.toMatchObject({
      code: 'key_too_long',
      retryable: false,
    })
    expect(await store.range('', 'k'.repeat(5_000), 9)).toHaveLength(1)
    expect(await store.range('k'.repeat(5_000), 'l', 9)).toHaveLength(0)
  })

  it('leaves out state that another version wrote, and says so', async () => {
    const first = await start('unreadable')
    await first.storage.state('s', NUMBERS).write([{ ...CHANGE, key: 'k', state: 1 }], 0n)
    await first.stop()
    const logs: LogEntry[] = []
    const second = await start('unreadable', { logs })
    const codec = {
      encode: String,
      decode: () => {
        throw new Error('what is this')
      },
    }
    expect(await stateOf(second.storage.state('s', { codec, maxKeys: 9 }), 'k')).toBeUndefined()
    expect(logs).toContainEqual({
      level: 'warn',
      message: 'State that cannot be read was left out: another version wrote it.',
      attributes: { namespace: 's', keys: 1 },
    })
  })

  it('refuses a file that is cut off or is something else, which LMDB would die of', async () => {
    const first = await start('damaged')
    const store = first.storage.keyValue('s')
    for (let at = 0; at < 20; at++) await store.write([{ key: `k${at}`, value: Buffer.alloc(3_000) }])
    await first.stop()
    const file = join(directory, 'damaged', 'data.mdb')
    const whole = await readFile(file)
    for (const [length, text] of [
      [whole.length / 2, 'is needed'],
      [4_100, 'before its second page'],
      [1, 'does not begin as a database does'],
    ] as const) {
      await writeFile(file, whole)
      await truncate(file, length)
      const damaged = { code: 'storage_damaged', message: expect.stringContaining(text) }
      await expect(start('damaged')).rejects.toMatchObject(damaged)
      await expect(attach('damaged')).rejects.toMatchObject(damaged)
    }
    await writeFile(file, whole)
    const again = (await start('damaged')).storage.keyValue('s')
    expect(await again.range('', '~', 99)).toHaveLength(20)
  })

  it('takes over the lock of a process that is gone, or whose number another one has', async () => {
    await mkdir(join(directory, 'stale'), { recursive: true })
    const lock = join(directory, 'stale', 'tocsin.lock')
    const gone = spawnSync(process.execPath, ['-e', '']).pid
    for (const owner of [
      { pid: gone, host: hostname(), started: '', token: 'x' },
      { pid: process.pid, host: hostname(), started: 'another boot 12', token: 'x' },
    ]) {
      await writeFile(lock, JSON.stringify(owner))
      await (await start('stale')).stop()
      await expect(stat(lock)).rejects.toThrow('ENOENT')
    }
    // A process of another host counts as alive as long as it touches the file.
    await writeFile(lock, JSON.stringify({ pid: 1, host: 'elsewhere', started: '', token: 'x' }))
    await expect(start('stale')).rejects.toThrow('in use by process 1 on elsewhere')
  })

  it('loses nothing acknowledged when it is killed, and refuses a second process meanwhile', async () => {
    for (let run = 0; run < 3; run++) {
      const acknowledged = new Map<number, number>()
      const child = startProgram(program, [join(directory, 'killed'), `${run}`], line => {
        const [word, lane, n] = line.split(' ')
        if (word === 'ack') acknowledged.set(Number(lane), Number(n))
      })
      while ((acknowledged.get(2) ?? 0) < 20 + run * 15) await new Promise(resolve => setTimeout(resolve, 5))
      if (run === 0) {
        await expect(start('killed')).rejects.toThrow(
          `The storage directory ${join(directory, 'killed')} is in use by process ${child.pid} on `,
        )
      }
      child.kill('SIGKILL')
      await once(child, 'exit')
      const { storage } = await start('killed')
      const states = storage.state('states', NUMBERS)
      const values = storage.keyValue('values')
      for (const [lane, n] of acknowledged) {
        const keys = Array.from({ length: 20 }, (_, at) => `${run} ${lane} ${at}`)
        const entries = await states.read(keys.map(key => ({ key, recordIds: [`${n}`] })))
        const found = new Set(entries.map(entry => entry.state))
        expect(found.size).toBe(1)
        expect([...found][0]).toBeGreaterThanOrEqual(n)
        expect(entries.every(entry => entry.journal.get(`${n}`) === `${n}`)).toBe(true)
        const a = await textOf(values, `${run} ${lane} a`)
        expect(Number(a)).toBeGreaterThanOrEqual(n)
        expect(await textOf(values, `${run} ${lane} b`)).toBe(a)
      }
      await open.pop()?.stop()
    }
  })

  it('can be attached to while another process writes: both keep what they wrote', async () => {
    const acknowledged = new Map<number, number>()
    const child = startProgram(program, [join(directory, 'attached'), 'run'], line => {
      const [word, lane, n] = line.split(' ')
      if (word === 'ack') acknowledged.set(Number(lane), Number(n))
    })
    const until = async (n: number): Promise<void> => {
      while ((acknowledged.get(2) ?? -1) < n) await new Promise(resolve => setTimeout(resolve, 5))
    }
    await until(0)
    // It grows meanwhile: what is looked at before its length must not be beyond it.
    for (let look = 0; look < 1_000; look++) {
      expect(await damageOf(join(directory, 'attached', 'data.mdb'))).toBeUndefined()
    }
    const { storage } = await attach('attached')
    const values = storage.keyValue('values')
    for (let count = 0; count < 50; count++) {
      await values.write([{ key: `mine ${count}`, value: Buffer.from(`${count}`) }])
    }
    await until((acknowledged.get(2) ?? 0) + 10)
    // What the other wrote meanwhile is seen.
    const [lane, n] = [...acknowledged][0] as [number, number]
    expect(Number(await textOf(values, `run ${lane} a`))).toBeGreaterThanOrEqual(n)
    await open.pop()?.stop()
    await until((acknowledged.get(2) ?? 0) + 10)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const after = (await start('attached')).storage.keyValue('values')
    for (const [lane, n] of acknowledged)
      expect(Number(await textOf(after, `run ${lane} b`))).toBeGreaterThanOrEqual(n)
    expect(await after.range('mine', 'mine~', 100)).toHaveLength(50)
  })

  it('attached to, makes no namespaces, and needs a storage that is there', async () => {
    await expect(attach('never')).rejects.toMatchObject({ code: 'storage_missing' })
    await (await start('there')).storage.keyValue('known').write([{ key: 'a', value: Buffer.from('1') }])
    await open.pop()?.stop()
    const { storage } = await attach('there')
    expect(await textOf(storage.keyValue('known'), 'a')).toBe('1')
    expect(await storage.keyValue('new').range('', '~', 10)).toEqual([])
    await expect(
      storage.keyValue('new').write([{ key: 'a', value: Buffer.from('1') }]),
    ).rejects.toMatchObject({
      code: 'unknown_namespace',
    })
  })

  it.runIf(process.getuid?.() === 0 && mounts())(
    'answers a full disk with an error to try again, and works when there is room',
    async () => {
      const path = join(directory, 'full')
      await mkdir(path, { recursive: true })
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]).status).toBe(0)
      try {
        const extension = await start('full')
        const values = extension.storage.keyValue('s')
        const states = extension.storage.state('t', NUMBERS)
        const large = Buffer.alloc(100_000, 'x')
        let written = 0
        const fill = async () => {
          for (; written < 100; written++) await values.write([{ key: `${written}`, value: large }])
        }
        await expect(fill()).rejects.toMatchObject({ code: 'storage_write_failed', retryable: true })
        expect(await values.range('', '~', 100)).toHaveLength(written)
        const change = {
          ...CHANGE,
          key: 'k',
          state: 1,
          journal: [{ recordId: 'x'.repeat(100_000), outcome: 'y'.repeat(100_000), timer: false }],
        }
        await expect(states.write([change], 0n)).rejects.toThrow(/is the disk full\?.* MiB are free there/)
        expect(await stateOf(states, 'k')).toBeUndefined()
        expect(extension.statuses.at(-1)).toMatchObject({ status: 'recoverable_error' })
        for (let key = 0; key < 12; key++) await values.write([{ key: `${key}`, value: undefined }])
        await states.write([change], 0n)
        expect(await stateOf(states, 'k')).toBe(1)
        expect(extension.statuses.at(-1)).toEqual({ status: 'ok' })
      } finally {
        await Promise.all(open.splice(0).map(extension => extension.stop()))
        spawnSync('umount', [path])
      }
    },
  )

  it('says what is wrong with the directory', async () => {
    await writeFile(join(directory, 'a-file'), '')
    await expect(start('a-file')).rejects.toMatchObject({ code: 'storage_unusable' })
    expect(await readFile(join(directory, 'a-file'), 'utf8')).toBe('')
  })
})

const CHANGE = { expected: undefined, due: undefined, pinned: false, journal: [] }

async function stateOf<S>(store: StateStore<S>, key: string): Promise<S | undefined> {
  return (await store.read([{ key, recordIds: [] }]))[0]?.state
}

async function textOf(store: KeyValueStore, key: string): Promise<string> {
  return String(await store.get(key))
}

/** A store that is closed and opened again before each call. */
function reopening<S>(name: string, namespace: string, options: StateOptions<S>): StateStore<S> {
  let turn: Promise<unknown> = Promise.resolve()
  const reopened = <T>(use: (store: StateStore<S>) => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      await Promise.all(open.splice(0).map(extension => extension.stop()))
      const { storage } = await start(name)
      return use(storage.state(namespace, options))
    })
    turn = result.catch(() => undefined)
    return result
  }
  return {
    read: requests => reopened(store => store.read(requests)),
    write: (changes, now) => reopened(store => store.write(changes, now)),
    due: (until, limit) => reopened(store => store.due(until, limit)),
    claim: (before, now, limit) => reopened(store => store.claim(before, now, limit)),
    release: entries => reopened(store => store.release(entries)),
  }
}

function mounts(): boolean {
  return spawnSync('mount', ['--version']).status === 0
}
