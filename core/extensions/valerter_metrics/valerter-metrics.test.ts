import type { Host, ServiceStatus } from 'tocsin/component'
import { factoryConformance, testContext } from 'tocsin/testing'
import { afterEach, expect, test } from 'vitest'
import type { ValerterMetricsConfig } from './config.js'
import { valerterMetricsExtension } from './index.js'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

test.each(factoryConformance(valerterMetricsExtension as never).map(check => [check.name, check] as const))(
  '%s',
  (_name, check) => check.run(),
)

test('a rule that broke down is told apart from those that go on', async () => {
  const { scrape } = await started(
    [
      'tocsin_pipeline_breakdowns_total{pipeline="logs/oom",component="receiver/victorialogs/eu"} 2',
      'tocsin_pipeline_breakdowns_total{pipeline="logs/oom",component="processor/own"} 1',
      'tocsin_pipeline_breakdowns_total{pipeline="logs/oom",component="receiver/other"} 8',
      'tocsin_pipeline_breakdowns_total{pipeline="logs/else",component="processor/own"} 16',
    ].join('\n'),
  )
  expect(await scrape('rule_panics_total')).toEqual([
    'valerter_rule_panics_total{rule_name="oom",vl_source="eu"} 3',
    'valerter_rule_panics_total{rule_name="disk",vl_source="eu"} 0',
  ])
})

test('a reload that a notifier fails is counted, and the series of the others stay at zero', async () => {
  const { extension, scrape } = await started()
  const path = ['notifiers', 'hook', 'url']
  extension.refused?.([{ severity: 'error', path, message: 'the environment variable TOKEN is not set' }])
  expect(await scrape('notifier_config_errors_total')).toEqual([
    'valerter_notifier_config_errors_total{notifier="hook",error_type="invalid_config"} 1',
    'valerter_notifier_config_errors_total{notifier="chat",error_type="invalid_config"} 0',
  ])
})

async function started(ours = '') {
  let port = 0
  const config = { endpoint: '127.0.0.1:0', labels: '2.x' } as ValerterMetricsConfig
  const base = testContext({ config })
  const extension = valerterMetricsExtension.create({
    ...base,
    listen: async (options: Parameters<typeof base.listen>[0]) => {
      const listener = await base.listen(options)
      port = listener.port
      return listener
    },
  })
  const status: ServiceStatus = {
    status: 'ok',
    startedAt: 0n,
    version: '1.2.3',
    pipelines: {},
    extensions: {},
  }
  await extension.start?.({ status: () => status, scrape: async () => ours } as Partial<Host> as Host)
  stops.push(async () => extension.stop?.(), base.close)
  extension.observe?.({
    'logs/oom': { receivers: ['victorialogs/eu'], processors: ['throttle'], exporters: ['webhook/hook'] },
    'logs/disk': { receivers: ['victorialogs/eu'], processors: ['throttle'], exporters: ['mattermost/chat'] },
  })
  const scrape = async (name: string): Promise<readonly string[]> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    return text.split('\n').filter(line => line.startsWith(`valerter_${name}{`))
  }
  return { extension, scrape }
}
