import { readFileSync } from 'node:fs'
import type { Meter } from '@opentelemetry/api'
import { load } from 'js-yaml'
import { createRecord, fromJson, isTocsinError, type LogRecord, type Mapper, toJson } from 'tocsin/component'
import { processorConformance, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { check, type TransformConfig } from './config.js'
import { transformProcessor } from './index.js'

const record = (id: string, attributes: object = {}): LogRecord =>
  createRecord({
    id,
    body: '{"level":"warn","user":{"name":"ada"}}',
    attributes: fromJson(attributes) as never,
  })

function start(
  log_statements: TransformConfig['log_statements'],
  error_mode: TransformConfig['error_mode'] = 'ignore',
) {
  const config: TransformConfig = { error_mode, log_statements }
  const context = testContext({ config, clock: new VirtualClock('2025-01-15T10:00:00Z') })
  const mapper = transformProcessor.create(context) as Mapper
  return { process: (...records: LogRecord[]) => mapper.process(records) as LogRecord[], logs: context.logs }
}

describe('transform', () => {
  it('parses, moves, renames, redacts and stamps', () => {
    const { process } = start([
      'set(cache, ParseJSON(body)) where IsMatch(body, "^\\\\{")',
      'merge_maps(attributes, cache, "upsert")',
      'flatten(attributes)',
      'set(severity_text, ToUpperCase(attributes["level"]))',
      'set(severity_number, SEVERITY_NUMBER_WARN) where severity_text == "WARN"',
      'delete_key(attributes, "level")',
      'replace_pattern(attributes["card"], "\\\\d{12}(\\\\d{4})", "****$1")',
      'set(attributes["seen"], FormatTime(Now(), "%FT%TZ"))',
    ])
    const [after] = process(record('1', { card: '1234567812345678' }))
    expect(after).toMatchObject({ id: '1', severityText: 'WARN', severityNumber: 13 })
    expect(toJson(after?.attributes)).toEqual({
      card: '****5678',
      'user.name': 'ada',
      seen: '2025-01-15T10:00:00Z',
    })
  })

  it('takes groups with conditions', () => {
    const { process } = start([
      {
        context: 'log',
        conditions: ['attributes["team"] == nil'],
        statements: ['set(attributes["team"], "ops")'],
      },
      { context: 'resource', statements: ['set(attributes["env"], "test")'] },
    ])
    const after = process(record('1'), record('2', { team: 'shop' }))
    expect(after.map(r => [r.attributes.team, r.resource.attributes.env])).toEqual([
      ['ops', 'test'],
      ['shop', 'test'],
    ])
  })

  const failing = 'set(severity_text, attributes["n"])'

  it('goes on after an error and logs it once, unless told otherwise', () => {
    const ignoring = start([failing, 'set(attributes["after"], true)'])
    const after = ignoring.process(record('1', { n: 1 }), record('2', { n: 2 }))
    expect(after.map(r => r.attributes.after)).toEqual([true, true])
    expect(ignoring.logs).toMatchObject([
      { level: 'warn', attributes: { expression: failing, error: 'set: severity_text takes a string' } },
    ])
    const silent = start([failing], 'silent')
    silent.process(record('1', { n: 1 }))
    expect(silent.logs).toEqual([])
  })

  it('counts what failed, once a batch', () => {
    const added: number[] = []
    const createCounter = () => ({ add: (value: number) => added.push(value) })
    const config: TransformConfig = { error_mode: 'silent', log_statements: [failing] }
    const context = testContext({ config, meter: { createCounter } as unknown as Meter })
    const mapper = transformProcessor.create(context) as Mapper
    mapper.process([record('1', { n: 1 }), record('2', { n: 'fine' }), record('3', { n: 3 })])
    mapper.process([record('4', { n: 'fine' })])
    expect(added).toEqual([2])
  })

  it('propagate fails the batch with a permanent error', () => {
    const { process } = start([{ error_mode: 'propagate', statements: [failing] }])
    try {
      process(record('1', { n: 1 }))
      expect.unreachable()
    } catch (error) {
      expect(isTocsinError(error) && [error.code, error.retryable]).toEqual(['ottl_evaluation', false])
    }
  })
})

describe('the configuration of a transform', () => {
  it('shows what is wrong, and where', () => {
    const problems = check({
      error_mode: 'ignore',
      log_statements: [
        'set(attributes["a"], 1)',
        'sett(attributes["a"], 1)',
        {
          context: 'resource',
          conditions: ['attributes["a"] = 1'],
          statements: ['set(attributes["a"], 1)', 'set(log.body, 1)'],
        },
      ],
    })
    expect(problems).toMatchObject([
      { path: ['log_statements', 1], fix: 'did you mean set?' },
      { path: ['log_statements', 2, 'conditions', 0], fix: 'to compare, write ==' },
      { path: ['log_statements', 2, 'statements', 1] },
    ])
  })
})

it('the example of the README is valid', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const example = load(yaml) as { processors: { [id: string]: TransformConfig } }
  const config = example.processors.transform as TransformConfig
  expect(check(config)).toEqual([])
})

describe('conformance', () => {
  const config = {
    error_mode: 'ignore',
    log_statements: [
      'set(attributes["a"]["b"], body)',
      'flatten(attributes)',
      'set(resource.attributes["x"], 1)',
      'merge_maps(attributes, ParseJSON(body), "upsert")',
    ],
  }
  for (const check of processorConformance({ factory: transformProcessor, config })) it(check.name, check.run)
})
