import {
  appendFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { runCommand, startCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import {
  append,
  at,
  bodies,
  comes,
  follow,
  inFreshFolder,
  kept,
  numbered,
  records,
  stop,
  write,
} from '../support/log-folder.js'

// What real log files do to a collector, on the clock of the machine: the built command, and files that are written beside it.

inFreshFolder()

const LONG = { timeout: 60_000 }
const POLL = { interval: 100 }
const MULTILINE = "multiline: { line_start_pattern: '^\\d{4}-' }"

describe('lines are neither lost, nor doubled, nor out of order', () => {
  test(
    'when files are renamed and made anew while a record of several lines waits, whether or not a pattern finds the old ones',
    LONG,
    async () => {
      const names = ['a', 'b']
      for (const name of names) write(`${name}.log`, '')
      await follow({ include: "a.log', 'b.log*", more: MULTILINE })
      const expected = names.map((): string[] => [])
      for (const [round, pauseMs] of [0, 150, 300, 600].entries()) {
        for (const name of names) append(`${name}.log`, `2026-11-20 ERROR ${name} down ${round}\n\tat x\n`)
        await pause(pauseMs)
        for (const [index, name] of names.entries()) {
          renameSync(at(`${name}.log`), at(`${name}.log.${round}`))
          write(
            `${name}.log`,
            `2026-11-20 INFO ${name} up ${round}\n2026-11-20 INFO ${name} other ${round}\n`,
          )
          expected[index]?.push(
            `2026-11-20 ERROR ${name} down ${round}\n\tat x`,
            `2026-11-20 INFO ${name} up ${round}`,
            `2026-11-20 INFO ${name} other ${round}`,
          )
        }
        // A name is followed through one rotation after another.
        await expect
          .poll(() => names.map(name => bodies().filter(body => body.includes(` ${name} `))), POLL)
          .toEqual(expected)
      }
    },
  )

  test(
    'when a file is truncated while the last record of several lines waits, also at the next start',
    LONG,
    async () => {
      write('a.log', '')
      const before = await follow({ include: '*.log', more: `${MULTILINE}, force_flush_period: 1h` })
      append('a.log', '2026-11-20 ERROR boom\njava.lang.X\n')
      // One poll has read what stands before this, too.
      write('seen.log', '2026-11-20 INFO seen\n2026-11-20 INFO waits\n')
      await comes(['2026-11-20 INFO seen'])
      truncateSync(at('a.log'))
      append('a.log', numbered('2026-11-20 INFO', 20))
      const lines = numbered('2026-11-20 INFO', 20).trim().split('\n')
      await comes(['2026-11-20 INFO seen', '2026-11-20 ERROR boom\njava.lang.X', ...lines.slice(0, 19)])
      await stop(before)
      await follow({ include: '*.log', more: MULTILINE })
      await comes(
        ['2026-11-20 INFO seen', '2026-11-20 INFO waits', '2026-11-20 ERROR boom\njava.lang.X', ...lines],
        'in any order',
      )
    },
  )

  test('when a file was rotated several times while nothing ran', LONG, async () => {
    write('a.log', numbered('first', 5))
    const before = await follow({ include: 'a.log' })
    await comes(numbered('first', 5).trim().split('\n'))
    await stop(before)
    append('a.log', 'the end of it\n')
    renameSync(at('a.log'), at('a.log.2'))
    await pause(20)
    write('a.log.1', numbered('second', 20))
    await pause(20)
    write('a.log', numbered('third', 5))
    await follow({ include: 'a.log' })
    const all = `${numbered('first', 5)}the end of it\n${numbered('second', 20)}${numbered('third', 5)}`
    await comes(all.trim().split('\n'))
  })

  test('when the end of a file is cut, also while nothing runs', LONG, async () => {
    const lines = numbered('a line of some length, number', 30).trim().split('\n')
    write('a.log', `${lines.join('\n')}\n`)
    let command = await follow({ include: 'a.log' })
    await comes(lines)
    const cut = `${lines.slice(0, 25).join('\n')}\n`
    truncateSync(at('a.log'), cut.length)
    append('a.log', numbered('new', 5))
    const fresh = numbered('new', 5).trim().split('\n')
    await comes([...lines, ...fresh])
    await stop(command)
    truncateSync(at('a.log'), cut.length)
    append('a.log', numbered('newer', 5))
    command = await follow({ include: 'a.log' })
    await comes([...lines, ...fresh, ...numbered('newer', 5).trim().split('\n')])
  })

  test.each(['beginning', 'end'])(
    'when a file and what it was compressed to are both there, start_at: %s',
    LONG,
    async startAt => {
      const text = numbered('old', 2_000)
      write('a.log.1', text)
      writeFileSync(at('a.log.1.gz'), gzipSync(text))
      writeFileSync(at('a.log.2.gz'), gzipSync(numbered('older', 20)).subarray(0, -4))
      writeFileSync(at('a.log.3.bz2'), Buffer.concat([Buffer.from('BZh91AY&SY'), Buffer.alloc(999, 0xf5)]))
      write('a.log', 'now\n')
      const stderr = (await follow({ include: 'a.log*', more: `start_at: ${startAt}` })).output
      append('a.log', 'last\n')
      const read = startAt === 'end' ? ['last'] : [...text.trim().split('\n'), 'now', 'last']
      await expect
        .poll(() => bodies().filter(body => !body.startsWith('older')), { timeout: 30_000 })
        .toEqual(read)
      expect(stderr().stderr).toMatch(/left out \(bzip2\)/)
      // An archive that is cut is waited for a while: it may still be written.
      await expect
        .poll(() => bodies().filter(body => body.startsWith('older')).length, { timeout: 30_000 })
        .toBe(startAt === 'end' ? 0 : 20)
    },
  )
})

describe('what stands in files is told as it is', () => {
  const ALERT = `
  stateful_alert:
    match_mode: MODE
    patterns: [{ alert_pattern: ERROR disk on fire, alert_schema: 'immediate,60', normalized_message: Fire, severity: critical }]`

  test.each([
    ['three hundred lines', 'prefix', 300, 'INFO line\n', 0],
    ['half a megabyte', 'contain', 500, `INFO ${'x'.repeat(1_000)}\n`, 0],
    ['sixty megabytes', 'exact', 0, '', 60 * 2 ** 20],
  ])('an alert behind a hole of NULs, of %s', LONG, async (_, mode, count, info, hole) => {
    const writer = openSync(at('a.log'), 'w')
    writeSync(writer, 'INFO begin\n')
    const processors = ALERT.replace('MODE', mode)
    const command = await follow({ include: 'a.log', processors, pipeline: '[stateful_alert]' })
    writeSync(writer, info.repeat(count))
    await expect.poll(() => bodies().length).toBe(count + 1)
    ftruncateSync(writer)
    const line = 'ERROR disk on fire\n'
    if (hole > 0) writeSync(writer, line, hole)
    else writeSync(writer, line)
    await expect.poll(() => bodies().length).toBe(count + 2)
    expect(bodies().at(-1)).toBe('ERROR disk on fire')
    expect(records().at(-1)).toMatch(/"key":"alert".*"alert"/)
    expect(command.output().stderr.match(/NUL bytes/g)).toHaveLength(1)
  })

  test('UTF-16 by its byte order mark, without an encoding', LONG, async () => {
    writeFileSync(at('a.log'), Buffer.from('\ufeffERROR x\r\nERROR ü\r\n', 'utf16le'))
    const command = await follow({ include: 'a.log' })
    await comes(['ERROR x', 'ERROR ü'])
    expect(command.output().stderr).toMatch(/byte order mark of utf-16le/)
  })

  test('records without line ends, while the file is written', LONG, async () => {
    const record = (index: number) => `2AUK20261120101${index}`.padEnd(70, '.')
    const all = [0, 1, 2, 3, 4].map(record)
    writeFileSync(at('a.log'), Buffer.from(all.join(''), 'utf16le'))
    const command = await follow({
      include: 'a.log',
      more: "encoding: utf-16le, multiline: { line_start_pattern: '2AU[A-Z]\\d{12}' }",
    })
    await comes(all)
    appendFileSync(at('a.log'), Buffer.from(record(5), 'utf16le'))
    await comes([...all, record(5)])
    expect(command.output().stderr).toMatch(/no line ends/)
  })

  test('lines that a container runtime has cut, of two streams at once', LONG, async () => {
    mkdirSync(at('pod'))
    const time = (second: number) => `2026-11-20T10:11:1${second}.000000000Z`
    write(
      'pod/0.log',
      `${time(1)} stdout P out one \n${time(2)} stderr P err one \n${time(3)} stdout F out two\n${time(4)} stderr F err two\n`,
    )
    await follow({ include: 'pod/0.log', more: 'container: { add_metadata_from_filepath: false }' })
    await comes(['out one out two', 'err one err two'])
  })
})

describe('standard input', () => {
  const stdin = (pipelines: string, receivers = 'stdin:') => `
receivers: { ${receivers} }
exporters: { file: { path: out.jsonl }, file/two: { path: two.jsonl } }
processors: { parser: { json: { fields: [MESSAGE] } } }
service: { telemetry: { metrics: { level: none } }, pipelines: { ${pipelines} } }`

  test('comes whole to every pipeline that names it; two receivers of it are refused', async () => {
    const both =
      'logs/a: { receivers: [A], exporters: [file] }, logs/b: { receivers: [B], exporters: [file/two] }'
    write('one.yaml', stdin(both.replace(/[AB]\]/g, 'stdin]')))
    const input = numbered('line', 20_000)
    const { code } = await runCommand(['--config', 'one.yaml'], { cwd: at('.'), input })
    expect({ code, one: bodies().join('\n') }).toEqual({ code: 0, one: input.trimEnd() })
    expect(bodies('two.jsonl')).toEqual(bodies())
    write('two.yaml', stdin(both.replace('A]', 'stdin/a]').replace('B]', 'stdin/b]'), 'stdin/a: , stdin/b: '))
    const refused = await runCommand(['validate', '--config', 'two.yaml'], { cwd: at('.') })
    expect(refused.code).toBe(1)
    expect(refused.stdout + refused.stderr).toMatch(
      /"stdin\/a" reads standard input already.*in every pipeline/,
    )
  })

  test('that stays open: SIGTERM delivers what came, and ends with 0', async () => {
    write('one.yaml', stdin('logs: { receivers: [stdin], exporters: [file] }'))
    const command = kept(startCommand(['--config', 'one.yaml'], { cwd: at('.') }))
    command.child.stdin?.write('one\ntwo\n')
    await comes(['one', 'two'])
    expect(await stop(command)).toMatchObject({ code: 0 })
  })

  test('of journalctl -o json: a message of bytes is text', async () => {
    write('one.yaml', stdin('logs: { receivers: [stdin], processors: [parser], exporters: [file] }'))
    const input = '{"MESSAGE":[69,82,82,79,82,32,98,111,111,109,13],"PRIORITY":"3"}\n'
    expect(await runCommand(['--config', 'one.yaml'], { cwd: at('.'), input })).toMatchObject({ code: 0 })
    expect(records()[0]).toMatch(/"ERROR boom(\\r)?"/)
  })

  test(
    'has ended, and the destination comes back during the drain: all is delivered, and it ends with 0',
    LONG,
    async () => {
      const port = await freePort()
      write(
        'one.yaml',
        `
receivers: { stdin: }
exporters: { webhook: { endpoint: 'http://127.0.0.1:${port}/' } }
service: { telemetry: { metrics: { level: none } }, pipelines: { logs: { receivers: [stdin], exporters: [webhook] } } }`,
      )
      const command = kept(startCommand(['--config', 'one.yaml'], { cwd: at('.'), input: '1\n2\n3\n4\n5\n' }))
      await command.says(/draining/)
      await command.says(/ECONNREFUSED/)
      const accepted: string[] = []
      const server = createServer(async (request, response) => {
        let text = ''
        for await (const chunk of request) text += chunk
        accepted.push(text)
        response.end()
      }).listen(port, '127.0.0.1')
      const { code, stderr } = await command.finished
      server.close()
      expect({ code, count: accepted.length }, stderr).toEqual({ code: 0, count: 5 })
      expect(stderr).toMatch(/"delivered":5/)
    },
  )
})

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
