// Notifications with a Handlebars title and body to one destination, in order, beside a loop over undici that posts the same bytes one after
// another: `npm run bench -- --case webhook`. Net of start: the same configuration with no line.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { before, command, ended, ROUNDS, report, row, temporaryFolder } from './support/measure.mjs'

const COUNT = 10_000

const folder = temporaryFolder()
// The sink has a thread of its own, and its CPU is counted by nobody.
const sink = new Worker(
  `const { createServer } = require('node:http')
  const { parentPort } = require('node:worker_threads')
  const server = createServer((request, response) => request.on('data', () => {}).on('end', () => response.end('ok')))
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
  { eval: true },
)
const port = await new Promise(done => sink.once('message', done))
const lines = count =>
  Array.from(
    { length: count },
    (_, n) => `2026-01-15T10:00:00Z web-${n % 50} user-${n} from 10.0.${n % 250}.7 failed\n`,
  )
writeFileSync(join(folder, 'none.log'), '')
writeFileSync(join(folder, 'some.log'), lines(COUNT).join(''))
for (const name of ['none', 'some'])
  writeFileSync(
    join(folder, `${name}.yaml`),
    `
receivers:
  file_log: { include: ['${join(folder, name)}.log'], start_at: beginning, stop_at_end: true }
processors:
  parser: { regex: '^\\S+ (?P<host>\\S+) (?P<user>\\S+) from (?P<ip>\\S+)' }
  template: { title: 'Login of {{user}} failed on {{host}}', body: '{{body}} ({{ip}})' }
exporters:
  webhook: { endpoint: 'http://127.0.0.1:${port}/', body_template: '{"title":"{{notification.title}}","text":"{{notification.body}}","host":"{{host}}"}' }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [parser, template], exporters: [webhook] }
`,
  )
writeFileSync(
  join(folder, 'bare.mjs'),
  `import { Agent } from '${join(import.meta.dirname, '../../node_modules/undici/index.js')}'
const agent = new Agent({ connections: 1 })
for (let n = 0; n < Number(process.argv[2]); n++) {
  const body = JSON.stringify({ title: \`Login of user-\${n} failed on web-\${n % 50}\`, text: \`2026-01-15T10:00:00Z web-\${n % 50} user-\${n} from 10.0.\${n % 250}.7 failed (10.0.\${n % 250}.7)\`, host: \`web-\${n % 50}\` })
  const answer = await agent.request({ origin: 'http://127.0.0.1:${port}', path: '/', method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await answer.body.text()
}
process.exit()
`,
)
const run = (program, name) =>
  ended(process.execPath, [program, '--config', join(folder, `${name}.yaml`)]).cpuMs
const loop = count => ended(process.execPath, [join(folder, 'bare.mjs'), String(count)]).cpuMs
const cost = { own: [], bare: [], before: [] }
for (let round = 0; round < ROUNDS; round++) {
  cost.own.push((run(command, 'some') - run(command, 'none')) / COUNT)
  cost.bare.push((loop(COUNT) - loop(0)) / COUNT)
  if (before) cost.before.push((run(before, 'some') - run(before, 'none')) / COUNT)
}
const own = cost.own.map(ms => ms * 1_000)
report({
  name: 'webhook',
  unit: 'microseconds',
  rows: [
    row(
      'a notification, title and body from templates',
      own,
      {
        'a loop over undici': cost.bare.map(ms => ms * 1_000),
        ...(before && { before: cost.before.map(ms => ms * 1_000) }),
      },
      before ? { to: 'before', atMost: 0.22 } : { to: 'a loop over undici' },
    ),
  ],
})
process.exit()
