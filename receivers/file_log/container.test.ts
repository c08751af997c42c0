import { mkdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import fc from 'fast-check'
import type { LogRecord } from 'tocsin/component'
import { collectingIntake, testContext } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { fileLogConfig, fileLogWorld, later } from '../../test/support/file-log.js'
import { runs } from '../../test/support/property.js'
import type { FileLogConfig } from './config.js'
import { fileLogReceiver } from './index.js'

const {
  at,
  write,
  append: appendTo,
  started,
  stopped,
  stored,
  passed,
} = fileLogWorld({
  start_at: 'beginning',
  storage: 'disk',
  container: { add_metadata_from_filepath: true },
})

const T = '2026-11-20T10:00:00.123456789Z'
const cri = (stream: string, tag: string, text: string, time = T): string =>
  `${time} ${stream} ${tag} ${text}\n`
const docker = (stream: string, log: string): string =>
  `${JSON.stringify({ log, stream, time: '2026-11-20T10:00:00.5Z' })}\n`

describe('lines that a container runtime has cut', () => {
  test.each([
    [
      'by the CRI',
      [
        cri('stdout', 'P', 'out one '),
        cri('stderr', 'P', 'err one '),
        cri('stdout', 'F', 'out two'),
        cri('stderr', 'F', 'err two'),
      ],
    ],
    [
      'with more tags and an offset',
      [
        cri('stdout', 'P:x', 'out one ', '2026-11-20T12:00:00.1+02:00'),
        cri('stderr', 'P:x:y', 'err one '),
        cri('stdout', 'F:x', 'out two'),
        cri('stderr', 'F', 'err two'),
      ],
    ],
    [
      "in Docker's json-file",
      [
        docker('stdout', 'out one '),
        docker('stderr', 'err one '),
        docker('stdout', 'out two\n'),
        docker('stderr', 'err two\r\n'),
      ],
    ],
  ])('%s are joined, each stream for itself', async (_name, lines) => {
    const { texts } = await reading(lines.join(''))
    await until(() => texts().length === 2)
    expect(texts()).toEqual(['stdout out one out two', 'stderr err one err two'])
  })

  test('carry the time at which they began, their stream, and what the path says', async () => {
    const path = 'pods/shop_web-1_0a1b2c3d-0000-0000-0000-000000000000/app/3.log'
    mkdirSync(at(`${path}/..`), { recursive: true })
    write(
      path,
      cri('stderr', 'P', 'it ') +
        cri('stderr', 'F', 'broke', '2026-11-20T10:00:01Z') +
        cri('stdout', 'F', ''),
    )
    const { records } = await start({ include: ['pods/*/*/*.log'] })
    await until(() => records().length === 2)
    const [first, second] = records() as [LogRecord, LogRecord]
    expect(first.timestamp).toBe(1_795_168_800_123_456_789n)
    expect({ ...first.attributes }).toEqual({ 'log.file.name': '3.log', 'log.iostream': 'stderr' })
    expect({ ...first.resource.attributes }).toEqual({
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'web-1',
      'k8s.pod.uid': '0a1b2c3d-0000-0000-0000-000000000000',
      'k8s.container.name': 'app',
      'k8s.container.restart_count': '3',
    })
    expect([second.body, second.attributes['log.iostream']]).toEqual(['', 'stdout'])
  })

  test('do not hold back the other stream, and come whole and once after a restart', async () => {
    const one = await reading(cri('stdout', 'P', 'out one ') + cri('stderr', 'F', 'err one'))
    await until(() => one.texts().length === 1)
    await one.stop()
    append(cri('stderr', 'F', 'err two'))
    const two = await start()
    await until(() => two.texts().length === 1)
    append(cri('stderr', 'P', 'err ') + cri('stdout', 'P', 'out two '))
    await turns(5)
    await two.stop()
    append(cri('stdout', 'F', 'out three') + cri('stderr', 'F', 'three'))
    const three = await start()
    await until(() => three.texts().length === 2)
    await three.stop()
    const four = await start()
    await turns(5)
    expect([...one.texts(), ...two.texts(), ...three.texts(), ...four.texts()]).toEqual([
      'stderr err one',
      'stderr err two',
      'stdout out one out two out three',
      'stderr err three',
    ])
  })

  test('are never acknowledged in part: a second run without an acknowledged batch reads them again', async () => {
    const one = await reading(
      cri('stdout', 'P', 'a ') + cri('stderr', 'F', 'b') + cri('stdout', 'F', 'c'),
      {},
      true,
    )
    await until(() => one.texts().length === 2)
    const two = await start()
    await until(() => two.texts().length === 2)
    expect(two.records().map(({ id }) => id)).toEqual(one.records().map(({ id }) => id))
  })

  test('come without their rest when it does not come for a minute, and when their file is over', async () => {
    const { texts } = await reading(docker('stderr', 'panic'))
    await turns(20)
    expect(texts()).toEqual([])
    await passed(60_000)
    await until(() => texts().length === 1)
    append(docker('stdout', 'half'))
    await turns(5)
    renameSync(at('0.log'), at('0.log.20261120-100000'))
    write('0.log', docker('stdout', 'next\n'))
    await until(() => texts().length === 3)
    expect(texts()).toEqual(['stderr panic', 'stdout half', 'stdout next'])
  })

  test('go out first when their file is truncated', async () => {
    const { texts } = await reading(cri('stdout', 'P', 'half ') + cri('stderr', 'F', 'whole'))
    await until(() => texts().length === 1)
    truncateSync(at('0.log'))
    append(cri('stderr', 'F', 'new'))
    await until(() => texts().length === 3)
    expect(texts()).toEqual(['stderr whole', 'stdout half ', 'stderr new'])
  })

  test('are bounded: beyond max_log_size they are split, and what is open never stands far behind', async () => {
    const part = 'x'.repeat(16_000)
    const { texts } = await reading(
      cri('stdout', 'P', part).repeat(3) + cri('stdout', 'F', 'end') + cri('stdout', 'P', 'open '),
      { max_log_size: '40000' },
    )
    await until(() => texts().length === 3)
    expect(texts().map(text => text.length - 'stdout '.length)).toEqual([40_000, 8_000, 3])
    append(cri('stderr', 'F', part).repeat(80))
    await until(() => texts().includes('stdout open '))
  })

  test('with multiline: patterns are for the text, and streams are joined apart', async () => {
    const { texts } = await reading(
      [
        cri('stdout', 'F', '2026 ERROR a'),
        cri('stderr', 'F', '2026 WARN b'),
        cri('stdout', 'P', '\tat '),
        cri('stderr', 'F', '\tof b'),
        cri('stdout', 'F', 'a'),
        cri('stdout', 'F', '2026 INFO c'),
      ].join(''),
      { multiline: { line_start_pattern: '^\\d{4}' } },
    )
    await until(() => texts().length === 3)
    expect(texts()).toEqual([
      'stdout 2026 ERROR a\n\tat a',
      'stderr 2026 WARN b\n\tof b',
      'stdout 2026 INFO c',
    ])
  })

  test('a line of no runtime is taken as it is, and said once', async () => {
    const { texts, logs } = await reading(
      `plain\n{"a":1}\n${T} stdout X tag\n1969-12-31T23:59:59Z stdout F old\n${cri('stdout', 'F', 'ok')}`,
    )
    await until(() => texts().length === 5)
    expect(texts()).toEqual([
      ' plain',
      ' {"a":1}',
      ` ${T} stdout X tag`,
      ' 1969-12-31T23:59:59Z stdout F old',
      'stdout ok',
    ])
    expect(logs().filter(message => message.includes('no format of a container runtime'))).toHaveLength(1)
  })
})

test('however lines are cut, streams mixed and runs ended, each line comes once, whole, in the order of its stream', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ stream: fc.constantFrom('stdout', 'stderr'), more: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.constant('poll' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isDocker) => {
      write('0.log', '')
      stored(testContext({ config: {} }).storage())
      const expected: { [stream: string]: string[] } = { stdout: [], stderr: [] }
      const open: { [stream: string]: string } = { stdout: '', stderr: '' }
      const put = (stream: string, text: string, more: boolean): void => {
        append(isDocker ? docker(stream, text + (more ? '' : '\n')) : cri(stream, more ? 'P' : 'F', text))
        open[stream] += text
        if (more) return
        expected[stream]?.push(open[stream] as string)
        open[stream] = ''
      }
      const got: string[] = []
      let run = await start()
      let count = 0
      for (const one of steps) {
        if (one === 'poll') await turns(1)
        else if (one === 'restart') {
          await run.stop()
          got.push(...run.texts())
          run = await start()
        } else put(one.stream, `${one.stream} ${count++} `, one.more)
      }
      for (const stream of ['stdout', 'stderr']) put(stream, 'end', false)
      const wanted = expected.stdout!.length + expected.stderr!.length
      await until(() => got.length + run.texts().length >= wanted)
      await run.stop()
      got.push(...run.texts())
      for (const [stream, lines] of Object.entries(expected)) {
        const own = got.filter(text => text.startsWith(`${stream} `)).map(text => text.slice(7))
        expect(own).toEqual(lines)
      }
      rmSync(at('0.log'))
    }),
    runs(20),
  )
})

test('encodings other than UTF-8 are refused', () => {
  const config = fileLogConfig({ container: { add_metadata_from_filepath: true }, encoding: 'utf-16le' })
  expect(fileLogReceiver.check?.(config)).toMatchObject([{ path: ['encoding'] }])
})

interface Run {
  readonly records: () => LogRecord[]
  /** With the stream in front. */
  readonly texts: () => string[]
  readonly logs: () => string[]
  readonly stop: () => Promise<void>
}

async function reading(text: string, config: Partial<FileLogConfig> = {}, manual = false): Promise<Run> {
  write('0.log', text)
  return start(config, manual)
}

async function start(config: Partial<FileLogConfig> = {}, manual = false): Promise<Run> {
  const { receiver, intake, context } = await started(config, collectingIntake({ manual }))
  return {
    records: () => intake.batches.flatMap(({ records }) => [...records]),
    texts: () =>
      intake.batches.flatMap(({ records }) =>
        records.map(({ attributes, body }) => `${attributes['log.iostream'] ?? ''} ${body}`),
      ),
    logs: () => context.logs.map(({ message }) => message),
    stop: () => stopped(receiver),
  }
}

function append(text: string): void {
  appendTo('0.log', text)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await passed(200)
    await later(3)
  }
}

/** Long waits belong to the machine, not to the clock: what waits for a minute must not be over by them. */
async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; !done() && turn < 2_000; turn++) {
    await passed(turn < 50 ? 200 : 1)
    await later(2)
  }
}
