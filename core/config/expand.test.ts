import { describe, expect, it } from 'vitest'
import { AROUND, load, memoryEnvironment, problemsOf } from '../../test/fixtures/config-loading.js'
import type { ConfigEnvironment } from './environment.js'
import { expand } from './expand.js'
import { toValue } from './node.js'
import { textSource } from './source.js'
import { parseYaml } from './yaml.js'

const environment = memoryEnvironment(
  {
    '/etc/tocsin/secret.txt': 'pa$$w${ord}\n',
    '/etc/tocsin/parts/list.yaml': '- one\n- ${env:NUMBER}\n- ${file:more.txt}\n',
    '/etc/tocsin/parts/more.txt': 'beside the list',
    '/etc/tocsin/self.yaml': 'throttle: ${file:self.yaml}',
  },
  { NUMBER: '007', LIST: '[a, "${env:NUMBER}"]', NAME: 'NUMBER', EMPTY: '', BAD: '*nothing', QUOTED: '"x"' },
  { 'https://example.com/x': 'from afar\n' },
)

async function expanded(yaml: string, from: ConfigEnvironment = environment) {
  const { node } = parseYaml(yaml, textSource('config.yaml', '/etc/tocsin', yaml))
  const { node: result, problems } = await expand(node!, from)
  return {
    value: toValue(result),
    problems: problems.map(problem => `${problem.line}:${problem.column} ${problem.message}`),
  }
}

describe('expand', () => {
  it.each<[string, unknown]>([
    ['${env:NUMBER}', 7],
    ['${NUMBER}', 7],
    ['v${env:NUMBER}', 'v007'],
    ['"${env:${env:NAME}}"', 7],
    ['${env:NOT_SET:-5m}', '5m'],
    ['${NOT_SET:-8080}', 8080],
    ['${env:NOT_SET:-${env:NUMBER}}', 7],
    ['${env:NUMBER:-${env:NOT_SET}}', 7],
    ['\'${env:NOT_SET:-{"a": [1]}}\'', { a: [1] }],
    ["'${env:NOT_SET:-{{ip}} x}'", '{{ip}} x'],
    ['${env:EMPTY}', null],
    ['${env:NOT_SET:-}', null],
    ['${env:LIST}', ['a', 7]],
    ['${env:BAD}', '*nothing'],
    ['${env:QUOTED}', '"x"'],
    ['${yaml:[1, 2]}', [1, 2]],
    ['${https://example.com/x}', 'from afar'],
    ['a$$b', 'a$b'],
    ['$${env:NUMBER}', '${env:NUMBER}'],
    ['$$${env:NUMBER}', '$007'],
    ['^foo$', '^foo$'],
    ['"\\\\${"', '\\${'],
    ['$NUMBER', '$NUMBER'],
  ])('%s', async (yaml, value) => {
    expect(await expanded(`a: ${yaml}`)).toEqual({ value: { a: value }, problems: [] })
  })

  it('takes the text of a file as it is, without its last line break', async () => {
    expect((await expanded('a: ${file:secret.txt}')).value).toEqual({ a: 'pa$$w${ord}' })
  })

  it('reads a YAML file from its own folder', async () => {
    expect((await expanded('a: ${file:parts/list.yaml}')).value).toEqual({ a: ['one', 7, 'beside the list'] })
  })

  it('answers mistakes with their place', async () => {
    const { problems } = await expanded(
      'a: ${env:NOT_SET}\nb: x${env:NUMBER\nc: ${1}\nd: ${foo:bar}\ne: ${file:none.txt}\nf: ok\n',
    )
    expect(problems).toEqual([
      '1:4 the environment variable NOT_SET is not set',
      '2:5 the reference "${" is not closed',
      '3:4 "1" is not the name of an environment variable',
      '4:4 "foo:" is no source of values',
      '5:4 ${file:none.txt}: the file does not exist',
    ])
  })

  it('says where YAML that is wrong came from', async () => {
    const broken = memoryEnvironment({ '/bad.yaml': 'a: 1\nb: [\n' }, { FILES: '[a', PIPE: 'x: {' })
    const yaml = (value: string) => [
      `yaml:${AROUND}\nprocessors: {throttle: {key: a, count: 1, window: 1m}}`,
      `yaml:receivers: {file_log: {include: "${value}"}}`,
    ]
    expect(await problemsOf(load(yaml('${env:FILES}'), broken))).toEqual([
      expect.stringMatching(
        /file_log\.include: a "\[" or "{" is not closed; the value comes from \${env:FILES} \(/,
      ),
    ])
    expect(await problemsOf(load(yaml('${file:/bad.yaml}'), broken))).toEqual([
      expect.stringMatching(/^\/bad\.yaml:2:4: .*: a "\[" or "{" is not closed \(/),
    ])
  })

  it('ends references that nest without end', async () => {
    const deep = `${'${env:'.repeat(50)}A${'}'.repeat(50)}`
    expect((await expanded(`a: ${deep}`)).problems).toHaveLength(1)
    const problems = await problemsOf(load(['yaml:processors: ${file:self.yaml}'], environment))
    expect(problems.join()).toContain('brings in itself')
  })
})

describe('an expanded value', () => {
  const values = (yaml: string) =>
    load([`yaml:${AROUND}\nprocessors: {throttle: {count: 1, window: 1m, ${yaml}}}`], environment).then(
      ({ config }) => config.processors.throttle?.config,
    )

  it('is text where text is wanted, YAML elsewhere, and not set where it is empty', async () => {
    expect(await values('key: "${env:NUMBER}"')).toMatchObject({ key: '007' })
    expect(await values('key: "${env:LIST}"')).toMatchObject({ key: '[a, "${env:NUMBER}"]' })
    expect(await values('key: "${env:EMPTY}"')).toMatchObject({ key: '' })
    expect(await values('max_keys: "${env:NUMBER}"')).toMatchObject({ max_keys: 7 })
    expect(await values('max_keys: "1${env:NUMBER}"')).toMatchObject({ max_keys: 1007 })
    expect(await values('max_keys: "${env:EMPTY}"')).toMatchObject({ max_keys: 10_000 })
    expect(await values('storage: "${env:EMPTY}"')).not.toHaveProperty('storage')
  })
})
