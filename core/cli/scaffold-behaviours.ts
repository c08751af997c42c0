import type { Kind } from '../component/index.js'
import type { Names } from './scaffold.js'

interface Behaviour {
  readonly config: (names: Names) => string
  readonly code: (names: Names) => string
  readonly test: (names: Names) => string
  readonly readme: (names: Names) => string
}

/** A small working component of each kind, to be changed into the real one. */
export const behaviours: { readonly [K in Kind]: Behaviour } = {
  receiver: {
    config: () =>
      schemaFile(
        `    path: { type: 'string', minLength: 1, description: 'The file whose new lines are read.' },
    poll_interval: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How often to look for new lines.',
    },`,
        ['path'],
      ),
    code: ({ create }) => `import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createRecord, durationMs } from 'tocsin/component'

/**
 * Offers the lines that are appended to a small file, each as a record. Made to be changed into a real source.
 *
 * @param {{ path: string, poll_interval: string }} config
 * @param {import('tocsin/component').ComponentContext<unknown>} context
 * @returns {import('tocsin/component').Receiver}
 */
export function ${create}({ path, poll_interval: interval }, { baseDir, clock, storage, reportStatus }) {
  const file = resolve(baseDir, path)
  const stopping = new AbortController()
  const checkpoint = storage()
  let running = Promise.resolve()

  async function run(intake) {
    let offset = Number((await checkpoint.get('offset')) ?? 0)
    while (!stopping.signal.aborted) {
      // A source that can wait does; one that cannot passes the busy answer on to its clients.
      await intake.ready()
      if (stopping.signal.aborted) return
      const lines = await newLines(offset)
      if (lines.length > 0) {
        const last = lines[lines.length - 1]
        const records = lines.map(line => createRecord({ id: line.id, observedTimestamp: clock.now(), body: line.text }))
        const settled = await intake.offer(records)
        if (!settled.busy) {
          offset = last.end
          // Only what is settled is behind us: after a crash the rest is read again, with the same ids.
          await checkpoint.write([{ key: 'offset', value: Buffer.from(String(offset)) }])
          settled.release()
        }
      }
      await clock.sleep(durationMs(interval), stopping.signal)
    }
  }

  async function newLines(offset) {
    const bytes = await readFile(file).catch(error => {
      reportStatus({ status: 'recoverable_error', message: error.message })
      return undefined
    })
    if (!bytes) return []
    reportStatus({ status: 'ok' })
    const lines = []
    for (let start = offset, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
      lines.push({ id: \`\${path}:\${start}\`, text: bytes.toString('utf8', start, end), end: end + 1 })
    }
    return lines
  }

  return {
    async start(intake) {
      running = run(intake)
    },
    async stop() {
      stopping.abort()
    },
    close: () => running,
    watermark: () => clock.now(),
  }
}
`,
    test: names =>
      testFile(
        names,
        'receiverConformance',
        `{
  factory: components[0],
  source: async () => {
    const folder = await mkdtemp(join(tmpdir(), '${names.file}-'))
    const path = join(folder, 'in.log')
    let number = 0
    return {
      config: { path, poll_interval: '10ms' },
      feed: count => appendFile(path, Array.from({ length: count }, () => \`line \${++number}\\n\`).join('')),
      close: () => rm(folder, { recursive: true }),
    }
  },
}`,
        {
          imports: `import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
`,
        },
      ),
    readme: names =>
      readmeFile(
        names,
        `receivers:
  ${names.type}:
    path: in.log
exporters:
  debug:
service:
  pipelines:
    logs:
      receivers: [${names.type}]
      exporters: [debug]`,
      ),
  },
  processor: {
    config: () =>
      schemaFile(
        `    value: { type: 'string', default: 'seen', description: 'What the attribute is set to.' },`,
      ),
    code: ({ type, create }) => `/**
 * Sets an attribute on every record.
 *
 * @param {{ value: string }} config
 * @returns {import('tocsin/component').Mapper}
 */
export function ${create}({ value }) {
  return {
    process: records => records.map(record => record.with('attributes["${type}"]', value)),
  }
}
`,
    test: names =>
      testFile(names, 'processorConformance', `{ factory: components[0], config: { value: 'seen' } }`),
    readme: names =>
      readmeFile(
        names,
        `receivers:
  demo_logs:
processors:
  ${names.type}:
    value: seen
exporters:
  debug:
service:
  pipelines:
    logs:
      receivers: [demo_logs]
      processors: [${names.type}]
      exporters: [debug]`,
      ),
  },
  exporter: {
    config: () =>
      schemaFile(
        `    path: { type: 'string', minLength: 1, description: 'The file that bodies are appended to.' },`,
        ['path'],
      ),
    code: ({ create }) => `import { appendFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toText } from 'tocsin/component'

/**
 * Appends the bodies of records to a file. Queue, retry and dead letters are the core's.
 *
 * @param {{ path: string }} config
 * @param {import('tocsin/component').ComponentContext<unknown>} context
 * @returns {import('tocsin/component').Exporter}
 */
export function ${create}({ path }, { baseDir }) {
  const file = resolve(baseDir, path)
  return {
    async send({ records }, signal) {
      if (signal.aborted) return { reason: 'aborted' }
      await appendFile(file, records.map(record => \`\${toText(record.body)}\\n\`).join(''))
      return 'ok'
    },
  }
}
`,
    test: names =>
      testFile(
        names,
        'exporterConformance',
        `{
  factory: components[0],
  destination: async () => {
    const folder = await mkdtemp(join(tmpdir(), '${names.file}-'))
    const path = join(folder, 'out.txt')
    return {
      config: { path },
      received: async () => (await readFile(path, 'utf8')).split('\\n').length - 1,
      close: () => rm(folder, { recursive: true }),
    }
  },
}`,
        {
          imports: `import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
`,
        },
      ),
    readme: names =>
      readmeFile(
        names,
        `receivers:
  demo_logs:
exporters:
  ${names.type}:
    path: out.txt
service:
  pipelines:
    logs:
      receivers: [demo_logs]
      exporters: [${names.type}]`,
      ),
  },
  connector: {
    config: () =>
      schemaFile(`    only_severity_from: {
      type: 'integer',
      default: 17,
      description: 'Records below this severity number are not handed on.',
    },`),
    code: ({ create }) => `/**
 * Hands on the records of at least a severity.
 *
 * @param {{ only_severity_from: number }} config
 * @returns {import('tocsin/component').Mapper}
 */
export function ${create}({ only_severity_from: least }) {
  return { process: records => records.filter(record => record.severityNumber >= least) }
}
`,
    test: names =>
      testFile(
        names,
        'processorConformance',
        '{ factory: components[0], config: { only_severity_from: 17 } }',
      ),
    readme: names =>
      readmeFile(
        names,
        `receivers:
  demo_logs:
connectors:
  ${names.type}:
exporters:
  debug:
service:
  pipelines:
    logs/all:
      receivers: [demo_logs]
      exporters: [${names.type}]
    logs/errors:
      receivers: [${names.type}]
      exporters: [debug]`,
      ),
  },
  extension: {
    config: () =>
      schemaFile(`    interval: {
      type: 'string',
      format: 'duration',
      default: '1m',
      description: 'How often the status is logged.',
    },`),
    code: ({ create }) => `import { durationMs } from 'tocsin/component'

/**
 * Logs the status of the service at an interval.
 *
 * @param {{ interval: string }} config
 * @param {import('tocsin/component').ComponentContext<unknown>} context
 * @returns {import('tocsin/component').Extension}
 */
export function ${create}({ interval }, { clock, logger }) {
  let cancel = () => {}
  return {
    async start(host) {
      const next = () => {
        logger.info('The service reports its status.', { status: host.status().status })
        cancel = clock.schedule(durationMs(interval), next)
      }
      cancel = clock.schedule(durationMs(interval), next)
    },
    async stop() {
      cancel()
    },
  }
}
`,
    test: names => testFile(names, 'factoryConformance', 'components[0]'),
    readme: names =>
      readmeFile(
        names,
        `receivers:
  demo_logs:
exporters:
  debug:
extensions:
  ${names.type}:
service:
  extensions: [${names.type}]
  pipelines:
    logs:
      receivers: [demo_logs]
      exporters: [debug]`,
      ),
  },
}

function schemaFile(properties: string, required: readonly string[] = []): string {
  const needs = required.length > 0 ? `  required: ${JSON.stringify(required).replaceAll('"', "'")},\n` : ''
  return `/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
${properties}
  },
${needs}  additionalProperties: false,
}
`
}

function testFile(
  { file, type, kind }: Names,
  suite: string,
  subject: string,
  { imports }: { readonly imports: string } = { imports: '' },
): string {
  return `import { describe, test } from 'node:test'
${imports}import { ${suite} } from 'tocsin/testing'
import { components } from './index.js'

// ${file}.js is what you change; this suite is what every ${kind} keeps to.
describe('${type}', () => {
  for (const { name, run } of ${suite}(${subject})) test(name, run)
})
`
}

function readmeFile({ kind, type, packageName }: Names, yaml: string): string {
  return `# ${type} ${kind}

Says here what it does, for whom, and when not to use it.

\`\`\`yaml
packages: ['${packageName}']
${yaml}
\`\`\`

Put the package where the configuration file's folder can resolve it (\`npm install\` it there), then run
\`tocsin --config mine.yaml\`.
`
}
