import { Ajv } from 'ajv'
import { load as loadYaml } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { commonSchemas, configFactories } from '../../test/fixtures/config-factories.js'
import { load, memoryEnvironment } from '../../test/fixtures/config-loading.js'
import { configJsonSchema } from './json-schema.js'
import { printConfig } from './print.js'

const yaml = `
receivers:
  filelog/app: {include: ['\${env:LOG}']}
  otlp: {protocols: {grpc: }}
processors:
  throttle: {count: '\${env:COUNT:-3}', window: 5m, mode: fixed}
exporters:
  webhook: {url: 'https://x/', condition: 'a', headers: {Authorization: Bearer 1}}
  debug:
service:
  pipelines:
    logs: {receivers: [filelog/app, otlp], processors: [throttle], exporters: [webhook, debug]}
`

describe('configJsonSchema', () => {
  const schema = configJsonSchema(configFactories, commonSchemas)
  const validate = new Ajv({ strict: false, allErrors: true, logger: false }).compile(schema)

  it('is JSON Schema that takes what loads, references included', () => {
    validate(loadYaml(yaml))
    expect(validate.errors).toBeNull()
  })

  it('takes 0 as a duration, no other number, and x- keys for anchors', () => {
    const config = loadYaml(`x-common: &common {window: 0}\n${yaml}`) as {
      processors: { throttle: { window: unknown } }
    }
    config.processors.throttle.window = 0
    expect(validate(config)).toBe(true)
    config.processors.throttle.window = 5
    expect(validate(config)).toBe(false)
  })

  it.each(['windw: 5m', 'mode: slow', 'count: many'])('refuses throttle with %s', wrong => {
    const config = loadYaml(yaml) as { processors: { throttle: object } }
    Object.assign(config.processors.throttle, loadYaml(wrong))
    expect(validate(config)).toBe(false)
  })

  it('refuses unknown types and keys', () => {
    expect(validate({ receivers: { file_logs: {} }, service: {} })).toBe(false)
    expect(validate({ recievers: {}, service: {} })).toBe(false)
  })
})

describe('printConfig', () => {
  it('prints what loads to the same configuration, but for its secrets', async () => {
    const environment = memoryEnvironment({}, { LOG: 'a.log' })
    const first = await load([`yaml:${yaml}`], environment)
    const printed = printConfig(first)
    expect(printed).toContain("Authorization: '[REDACTED]'")
    const second = await load([`yaml:${printed}`], environment)
    expect(second.config.processors).toEqual(first.config.processors)
    expect(second.config.service).toEqual(first.config.service)
  })
})
