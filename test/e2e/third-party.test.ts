import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv } from 'ajv'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from '../support/cli.js'
import { ROOT } from '../support/shared.js'

const exec = promisify(execFile)

/** A package outside of this repository, written only against `tocsin/component`. */
const THING: { readonly [file: string]: string } = {
  'package.json': JSON.stringify({
    name: '@acme/tocsin-thing',
    version: '1.0.0',
    type: 'module',
    main: 'index.js',
  }),
  'index.js': `
import { createRecord, defineExporter, defineProcessor, defineReceiver, PermanentError, toText } from 'tocsin/component'
import { appendFile } from 'node:fs/promises'
import { resolve } from 'node:path'

const counter = defineReceiver({
  api: 1,
  type: 'counter',
  stability: 'alpha',
  description: 'Offers a number of records, one after another.',
  schema: {
    type: 'object',
    properties: { count: { type: 'integer', minimum: 1, default: 3, description: 'How many.' } },
    additionalProperties: false,
  },
  create: ({ config: { count }, clock, id }) => ({
    async start(intake) {
      const offers = []
      for (let n = 1; n <= count; n++) {
        await intake.ready()
        offers.push(intake.offer([createRecord({ id: id + n, observedTimestamp: clock.now(), body: 'number ' + n })]))
      }
      void Promise.all(offers).then(() => intake.end())
    },
    async stop() {},
    watermark: () => clock.now(),
  }),
})

const shout = defineProcessor({
  api: 1,
  type: 'shout',
  stability: 'alpha',
  description: 'Turns bodies into capitals.',
  schema: { type: 'object', properties: {}, additionalProperties: false },
  create: () => ({ process: records => records.map(record => record.patch({ body: toText(record.body).toUpperCase() })) }),
})

const lines = defineExporter({
  api: 1,
  type: 'lines',
  stability: 'alpha',
  description: 'Appends bodies to a file.',
  schema: {
    type: 'object',
    properties: { path: { type: 'string', description: 'The file.' } },
    required: ['path'],
    additionalProperties: false,
  },
  create: ({ config: { path }, baseDir }) => ({
    async send({ records }) {
      if (records.some(record => record.body === 'NUMBER 2' )) throw new PermanentError('no_two', 'This one takes no two.')
      await appendFile(resolve(baseDir, path), records.map(record => record.body + '\\n').join(''))
      return 'ok'
    },
  }),
})

export const components = [counter, shout, lines]
`,
}

const CONFIG = `
packages: ['@acme/tocsin-thing']
receivers:
  counter: { count: 4 }
processors:
  shout:
exporters:
  lines: { path: out.txt }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [counter], processors: [shout], exporters: [lines] }
`

const KINDS = ['receiver', 'processor', 'exporter', 'connector', 'extension']
const WRITTEN: readonly (readonly [kind: string, ...flags: string[]])[] = [
  ...KINDS.map(kind => [kind] as const),
  ['receiver', '--typescript'],
  ['exporter', '--typescript'],
  ['processor', '--keyed'],
  ['processor', '--keyed', '--typescript'],
]

describe('a package of somebody else', () => {
  let app = ''
  beforeAll(async () => {
    app = await mkdtemp(join(tmpdir(), 'tocsin-app-'))
    const thing = join(app, 'thing')
    await mkdir(thing)
    for (const [file, text] of Object.entries(THING)) await writeFile(join(thing, file), text)
    await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', app], { cwd: ROOT })
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }))
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--install-links']
    // Without scripts: re2 takes minutes to compile, and is here already.
    await exec('npm', ['install', '--ignore-scripts', ...quiet, `./tocsin-${version}.tgz`, './thing'], {
      cwd: app,
    })
    await cp(join(ROOT, 'node_modules/re2/build'), join(app, 'node_modules/re2/build'), { recursive: true })
  }, 300_000)
  afterAll(() => rm(app, { recursive: true, force: true }))

  /** Those of the READMEs that were written. */
  const examples: string[] = []
  /** A folder with node_modules for each list of dependencies. */
  const installed = new Map<string, string>()
  const tocsin = (...args: string[]) => exec(join(app, 'node_modules/.bin/tocsin'), args, { cwd: app })

  test('runs its receiver, processor and exporter in a pipeline', async () => {
    await writeFile(join(app, 'mine.yaml'), CONFIG)
    // One record is refused and dropped: the exit code says so.
    const { stderr, code } = await tocsin('--config', 'mine.yaml').catch(error => error)
    expect(code).toBe(3)
    // Ten requests at a time: in any order.
    const lines = (await readFile(join(app, 'out.txt'), 'utf8')).trim().split('\n').sort()
    expect(lines).toEqual(['NUMBER 1', 'NUMBER 3', 'NUMBER 4'])
    expect(stderr).toMatch(/"delivered":3/)
  })

  test('is listed, and validated like ours', async () => {
    expect((await tocsin('components', '--config', 'mine.yaml')).stdout).toMatch(/^processor +shout +alpha/m)
    await writeFile(join(app, 'wrong.yaml'), CONFIG.replace('count: 4', 'cuont: 4'))
    await expect(tocsin('validate', '--config', 'wrong.yaml')).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /wrong\.yaml:4:\d+: receivers\.counter\.cuont: unknown key "cuont" .*count/,
      ),
    })
  })

  test('a package that is not there is an error that says what to do', async () => {
    await writeFile(join(app, 'absent.yaml'), CONFIG.replace('@acme/tocsin-thing', '@acme/absent'))
    await expect(tocsin('validate', '--config', 'absent.yaml')).rejects.toMatchObject({
      stderr: expect.stringMatching(/absent\.yaml:2:\d+: packages\[0\]: .*npm install/),
    })
  })

  test.each(WRITTEN)(
    'tocsin new %s %s writes a package that installs without a registry, passes its suite and runs',
    async (kind, ...flags) => {
      const type = `their_${[kind, ...flags.map(flag => flag.slice(2))].join('_')}`
      const { stdout: said } = await tocsin('new', kind, type, ...flags)
      const folder = join(app, `tocsin-${type.replaceAll('_', '-')}`)
      expect(said).toContain(`Next: cd ${folder} && npm install && npm test\n`)
      // What is not of the registry comes from the folder of the Tocsin that wrote it.
      const { dependencies, devDependencies, peerDependencies } = JSON.parse(
        await readFile(join(folder, 'package.json'), 'utf8'),
      )
      const needs = JSON.stringify({ dependencies, devDependencies, peerDependencies })
      const same = installed.get(needs)
      // Installed once for each of what they need: a minute of npm otherwise.
      if (same) await symlink(join(same, 'node_modules'), join(folder, 'node_modules'))
      else {
        const offline = flags.includes('--typescript') ? '--prefer-offline' : '--offline'
        await exec('npm', ['install', offline, '--no-audit', '--no-fund'], { cwd: folder })
        installed.set(needs, folder)
      }
      // As `npm test` where it is plain JavaScript: npm by itself is half a second of CPU.
      const [command, ...args] =
        same && !flags.includes('--typescript') ? ['node', '--test'] : ['npm', 'test']
      const { stdout } = await exec(command, args, { cwd: folder })
      expect(stdout).toMatch(/fail 0/)
      expect(stdout).toMatch(/pass [1-9]/)
      const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
      expect(peerDependencies).toEqual({ tocsin: `^${version}` })
      expect(devDependencies.tocsin).toBe('file:../node_modules/tocsin')
      // The example of its README, as it stands.
      const yaml = /```yaml\n([\s\S]*?)```/.exec(await readFile(join(folder, 'README.md'), 'utf8'))?.[1] ?? ''
      await symlink(folder, join(app, 'node_modules', `tocsin-${type.replaceAll('_', '-')}`))
      await writeFile(join(app, `${type}.yaml`), yaml)
      expect(await tocsin('validate', '--config', `${type}.yaml`)).toMatchObject({
        stdout: expect.stringMatching(/^OK: .*\n$/),
        stderr: '',
      })
      examples.push(yaml)
    },
    180_000,
  )

  test('the schema of a configuration with all of them accepts the examples', async () => {
    expect(examples).toHaveLength(WRITTEN.length)
    const packages = examples.flatMap(yaml => (load(yaml) as { packages: string[] }).packages)
    await writeFile(join(app, 'all.yaml'), `packages: ${JSON.stringify(packages)}\n`)
    const schema = JSON.parse((await tocsin('schema', '--config', 'all.yaml')).stdout)
    const allows = new Ajv({ strict: false }).compile(schema)
    for (const yaml of examples) expect([allows(load(yaml)), allows.errors]).toEqual([true, null])
  })

  test('tocsin new refuses what cannot be', async () => {
    const refused = (...args: string[]) => cli(args, { cwd: app })
    expect(await refused('new', 'gadget', 'x')).toMatchObject({
      stderr: expect.stringContaining('exporter'),
    })
    expect(await refused('new', 'exporter', 'My-Thing')).toMatchObject({
      stderr: expect.stringContaining('snake_case'),
    })
    // It would be the name of a file, and no name for a function.
    expect(await refused('new', 'exporter', 'x', '--keyed')).toMatchObject({
      stderr: expect.stringContaining('Only a processor can be --keyed'),
    })
    for (const taken of ['index', 'delete']) {
      expect(await refused('new', 'exporter', taken)).toMatchObject({
        stderr: expect.stringContaining('cannot be a type'),
      })
    }
    expect(await refused('new', 'exporter', 'their_exporter')).toMatchObject({
      stderr: expect.stringContaining('is not empty'),
    })
    expect(await refused('new', 'exporter', 'webhook')).toMatchObject({
      stderr: expect.stringContaining('There is an exporter webhook already'),
    })
  })

  test('the published types are whole, and the packages that were written keep to them', async () => {
    await writeFile(
      join(app, 'use.ts'),
      `import { defineExporter, type ComponentContext, type Exporter } from 'tocsin/component'
import { VirtualClock } from 'tocsin/testing'
import { main } from 'tocsin'
export const e = defineExporter<{ path: string }>({
  api: 1, type: 'x', stability: 'alpha', description: 'Does nothing at all, but in types.', schema: { type: 'object' },
  create: ({ config, id }: ComponentContext<{ path: string }>): Exporter => ({
    send: async () => (config.path === id ? 'ok' : { reason: String(new VirtualClock().now()) }),
  }),
})
export const m: typeof main = main
`,
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node']
    const written = [
      ...KINDS.map(kind => `tocsin-their-${kind}/their-${kind}.test.js`),
      'tocsin-their-processor-keyed/their-processor-keyed.test.js',
    ]
    const roots = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--skipLibCheck']
    const { stdout } = await exec(
      join(ROOT, 'node_modules/.bin/tsc'),
      [...options, ...roots, '--checkJs', 'use.ts', ...written],
      {
        cwd: app,
      },
    )
    expect(stdout).toBe('')
  })
})
