import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { shared, sharedTitle } from '../support/shared.js'

/** Event templates of loghub, as an operator would write them as a regular expression. */
const TEMPLATES: readonly (readonly [log: string, event: string, regex: string])[] = [
  ['Apache', 'E1', 'jk2_init\\(\\) Found child (?P<child>\\d+) in scoreboard slot (?P<slot>\\d+)'],
  ['Apache', 'E2', 'workerEnv\\.init\\(\\) ok (?P<file>\\S+)'],
  ['Apache', 'E4', '\\[client (?P<client>[^\\]]+)\\] Directory index forbidden by rule: (?P<path>\\S+)'],
  ['HDFS', 'E10', 'PacketResponder (?P<n>\\d+) for block (?P<block>blk_-?\\d+) terminating'],
  ['HDFS', 'E11', 'Received block (?P<block>blk_-?\\d+) of size (?P<size>\\d+) from /(?P<ip>[\\d.]+)'],
  ['HDFS', 'E13', 'Receiving block (?P<block>\\S+) src: /(?P<src>\\S+) dest: /(?P<dest>\\S+)'],
  [
    'OpenSSH',
    'E10',
    'Failed password for invalid user (?P<user>.*) from (?P<ip>\\S+) port (?P<port>\\d+) ssh2',
  ],
  ['OpenSSH', 'E24', 'Received disconnect from (?P<ip>\\S+): (?P<code>\\d+): Bye Bye \\[preauth\\]'],
  ['OpenSSH', 'E13', 'Invalid user (?P<user>.*) from (?P<ip>\\S+)$'],
  ['Linux', 'E29', 'connection from (?P<ip>[\\d.]+) \\((?P<host>[^)]*)\\) at '],
  ['Linux', 'E102', 'session opened for user (?P<user>\\S+) by \\(uid=(?P<uid>\\d+)\\)'],
  ['Hadoop', 'E10', 'Address change detected\\. Old: (?P<old>\\S+) New: (?P<new>\\S+)'],
  ['OpenStack', 'E34', 'image (?P<image>\\S+) at \\((?P<path>[^)]+)\\): checking'],
]

for (const [log, event, regex] of TEMPLATES) {
  const file = shared(`loghub/${log}/${log}_2k.log`)
  test.skipIf(!file)(sharedTitle(`${log} ${event}: as many matches as loghub counts`, 'loghub'), async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
    const out = join(folder, 'out.jsonl')
    const collector = await startCollector(
      `
receivers:
  file_log: { include: ['${file}'], start_at: beginning, stop_at_end: true }
processors:
  parser: { regex: '${regex}' }
exporters:
  file: { path: ${out} }
service:
  pipelines:
    logs: { receivers: [file_log], processors: [parser], exporters: [file] }
`,
      { folder },
    )
    await collector.ended
    const report = await collector.stop()
    const rows = parse(await readFile(shared(`loghub/${log}/${log}_2k.log_structured.csv`) as string), {
      columns: true,
    }) as { EventId: string }[]
    const expected = rows.filter(row => row.EventId === event).length
    const written = recordsOf(await readFile(out, 'utf8'))
    expect(expected).toBeGreaterThan(0)
    expect(written).toHaveLength(expected)
    expect(report.delivered).toBe(expected)
    const groups = [...regex.matchAll(/\(\?P<(\w+)>/g)].map(match => match[1])
    for (const record of written) {
      expect(record.attributes.map(attribute => attribute.key)).toEqual(expect.arrayContaining(groups))
    }
    await rm(folder, { recursive: true })
  })
}

interface OtlpRecord {
  readonly attributes: readonly { readonly key: string }[]
}

function recordsOf(jsonLines: string): readonly OtlpRecord[] {
  return jsonLines
    .split('\n')
    .filter(line => line !== '')
    .flatMap(line => JSON.parse(line).resourceLogs)
    .flatMap(resource => resource.scopeLogs)
    .flatMap(scope => scope.logRecords)
}
