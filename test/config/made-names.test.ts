import { describe, expect, test } from 'vitest'
import { processIo } from '../../core/cli/io.js'
import { load } from '../../core/cli/load.js'
import { full } from '../../distributions/full/index.js'

// A name in a template that nothing can make is an empty text for ever, and nobody says so.

const PARSER = "{regex: 'password for (?P<user>\\S+) from (?P<ip>\\S+)'}"

interface Given {
  readonly receivers?: string
  readonly processors?: string
  readonly exporters?: string
  readonly connectors?: string
  readonly pipelines?: string
}

async function warnings({
  receivers = '{stdin: {attributes: {env: prod}, resource: {host.name: web-1}}}',
  processors = '{}',
  exporters = '{debug: }',
  connectors = '{}',
  pipelines = '{logs: {receivers: [stdin], processors: [], exporters: [debug]}}',
}: Given): Promise<string[]> {
  const text = `
receivers: ${receivers}
processors: ${processors}
exporters: ${exporters}
connectors: ${connectors}
service: {pipelines: ${pipelines}}
`
  const io = { ...processIo(), cwd: '/', env: {} }
  const { settings } = await load(full, { config: [`yaml:${text}`], set: [] }, io)
  return settings.warnings.map(
    ({ path, message, fix }) => `${path.slice(0, 3).join('.')}: ${message} (${fix})`,
  )
}

/** Of a template with this title behind a parser. */
const titled = (title: string, more: Given = {}) =>
  warnings({
    processors: `{parser: ${PARSER}, template: {title: '${title}'}}`,
    pipelines: '{logs: {receivers: [stdin], processors: [parser, template], exporters: [debug]}}',
    ...more,
  })

test.each([
  ['{{ipp}}', 'did you mean {{ip}}?'],
  ['{{upper usr}}', 'did you mean {{user}}?'],
  ['{{attributes.ipp}}', 'did you mean {{ip}}?'],
  ['{{json ipp}}', 'did you mean {{ip}}?'],
  ['{{alert.severity}}', 'there are env, host.name, ip, user'],
  ['{{#if env}}{{ipp}}{{/if}}', 'did you mean {{ip}}?'],
  ['{{host.nam}}', 'did you mean {{host.name}}?'],
])('%s is a warning', async (title, fix) => {
  const found = await titled(title)
  expect(found).toEqual([
    expect.stringContaining('is empty in every record: nothing before it in the pipeline "logs"'),
  ])
  expect(found[0]).toContain(`processors.template.title: `)
  expect(found[0]).toContain(`(${fix})`)
})

test.each([
  '{{ip}} {{user}} {{env}} {{host.name}} {{[host.name]}} {{host}}',
  '{{body}} {{_msg}} {{log_timestamp}} {{resource.x}} {{attributes.ip}} {{json this}} {{severity_text}}',
  '{{#if region}}in {{region}}{{/if}}{{default zone "?"}}',
  '{{#each list}}{{this}} {{name}} {{@index}}{{/each}}{{#with body}}{{field}}{{/with}}',
])('%s is none', async title => {
  expect(await titled(title)).toEqual([])
})

test('a throttle before its parser is told to go behind it', async () => {
  const found = await warnings({
    processors: `{parser: ${PARSER}, throttle: {key: '{{ip}}', count: 1, window: 1m}}`,
    pipelines: '{logs: {receivers: [stdin], processors: [throttle, parser], exporters: [debug]}}',
  })
  expect(found).toEqual([
    'processors.throttle.key: {{ip}} is empty in every record: nothing before it in the pipeline "logs" makes "ip" (put "parser", which makes it, before "throttle")',
  ])
})

test('Jinja, and what stands in an exporter', async () => {
  const found = await warnings({
    processors: `{parser: ${PARSER}, template: {engine: jinja, title: '{{ ipp | upper }} {{ ip }} {{ zone | default("?") }}'}}`,
    exporters:
      '{webhook: {endpoint: "http://x/", body_template: "{\\"a\\": \\"{{ipp}} {{notification.title}} {{ip}}\\"}"}}',
    pipelines: '{logs: {receivers: [stdin], processors: [parser, template], exporters: [webhook]}}',
  })
  expect(found.map(text => text.split(':')[0])).toEqual([
    'processors.template.title',
    'exporters.webhook.body_template',
  ])
})

describe('nothing is said where records can hold anything', () => {
  test.each([
    [
      'an otlp receiver',
      { receivers: '{otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}', from: 'otlp' },
    ],
    ['demo_logs', { receivers: '{demo_logs: }', from: 'demo_logs' }],
    ['JSON without fields', { parser: '{json: {}}' }],
    [
      'a transform that merges',
      { parser: PARSER, transform: 'merge_maps(attributes, ParseJSON(body), "upsert")' },
    ],
    ['a transform with the name', { parser: PARSER, transform: 'set(attributes["zone"], "x")' }],
  ])('%s', async (_, given: { receivers?: string; from?: string; parser?: string; transform?: string }) => {
    const statement = given.transform ?? 'set(severity_text, "x")'
    const found = await warnings({
      ...(given.receivers && { receivers: given.receivers }),
      processors: `{parser: ${given.parser ?? PARSER}, transform: {log_statements: ['${statement}']}, template: {title: '{{zone}}'}}`,
      pipelines: `{logs: {receivers: [${given.from ?? 'stdin'}], processors: [parser, transform, template], exporters: [debug]}}`,
    })
    expect(found).toEqual([])
  })

  test('nor of an exporter that gets the name in another pipeline', async () => {
    const webhook = '{webhook: {endpoint: "http://x/", body_template: "{\\"a\\": \\"{{ip}}\\"}"}}'
    const both = await warnings({
      processors: `{parser: ${PARSER}}`,
      exporters: webhook,
      pipelines:
        '{logs: {receivers: [stdin], exporters: [webhook]}, logs/ssh: {receivers: [stdin], processors: [parser], exporters: [webhook]}}',
    })
    expect(both).toEqual([])
  })
})

test('names go through a connector', async () => {
  const given = (title: string) => ({
    processors: `{parser: ${PARSER}, template: {title: '${title}'}}`,
    connectors: '{forward: }',
    pipelines:
      '{logs/in: {receivers: [stdin], processors: [parser], exporters: [forward]}, logs: {receivers: [forward], processors: [template], exporters: [debug]}}',
  })
  expect(await warnings(given('{{ip}}'))).toEqual([])
  expect(await warnings(given('{{ipp}}'))).toHaveLength(1)
})
