import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonSchemas, configFactories, testFormats } from '../../test/fixtures/config-factories.js'
import { runs } from '../../test/support/property.js'
import { ConfigError } from '../component/index.js'
import type { ConfigEnvironment } from './environment.js'
import { expand } from './expand.js'
import { loadConfig } from './load.js'
import { textSource } from './source.js'
import { parseYaml } from './yaml.js'

const environment: ConfigEnvironment = {
  cwd: '/',
  env: { A: '1', B: '{x: "${env:A}", y: ${B}}', C: '*c', D: '' },
  readFile: () => Promise.reject(Object.assign(new Error('no file'), { code: 'ENOENT' })),
  fetch: () => Promise.resolve({ status: 404, body: '' }),
}

const piece = fc.constantFrom(
  ...[
    'a',
    'b: ',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '&x ',
    '*x',
    '<<: ',
    '|',
    '>',
  ],
  ...[
    '? ',
    ': ',
    '# c',
    '!!str ',
    '!!int ',
    '!foo ',
    '---\n',
    '...\n',
    '%YAML 1.2\n',
    '\t',
    '\\',
    '@',
    '`',
    '\r\n',
  ],
  ...[
    '${env:A}',
    '${env:B}',
    '${C:-',
    '${',
    '}',
    '$$',
    '$',
    '${env:${env:A}}',
    '${file:x}',
    '${yaml:[1, 2]}',
    ':-',
  ],
  ...[
    'receivers:',
    'service:',
    'pipelines:',
    'logs:',
    'exporters:',
    '  file_log:',
    'debug',
    '__proto__: 1',
    '😀',
  ],
)
const text = fc
  .array(fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: fc.string() }))
  .map(x => x.join(''))

describe('any text', () => {
  it('is read as YAML or answered with problems that have a place', () => {
    fc.assert(
      fc.property(text, input => {
        const { node, problems } = parseYaml(input, textSource('f.yaml', '/', input))
        expect(node !== undefined || problems.length > 0 || isEmpty(input)).toBe(true)
        for (const { line, column, file } of problems) {
          expect(file).toBe('f.yaml')
          expect(line).toBeGreaterThan(0)
          expect(column).toBeGreaterThan(0)
        }
      }),
      runs(3000, 1000),
    )
  })

  it('is expanded or answered with problems', async () => {
    await fc.assert(
      fc.asyncProperty(text, async input => {
        const { node } = parseYaml(input, textSource('f.yaml', '/', input))
        if (node) await expand(node, environment)
      }),
      runs(2000, 700),
    )
  })

  it('is loaded or answered with a ConfigError', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (first, second) => {
        const request = {
          sources: [`yaml:${first}`, `yaml:service: {pipelines: {logs: {receivers: [file_log]}}}\n${second}`],
          sets: [],
          factories: configFactories,
          formats: testFormats,
          common: commonSchemas,
          environment,
        }
        const error: unknown = await loadConfig(request).catch(failure => failure)
        expect(error).toBeInstanceOf(ConfigError)
      }),
      runs(1000, 400),
    )
  })
})

/** Comments, document markers and directives alone hold no document. */
function isEmpty(input: string): boolean {
  return input.split(/\r?\n|\r/).every(line => /^(\uFEFF|\s)*(#.*|---.*|\.\.\..*|%.*)?$/.test(line))
}
