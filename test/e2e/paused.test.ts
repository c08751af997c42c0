import { setTimeout as sleep } from 'node:timers/promises'
import { httpDestination } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { type Running, startCommand } from '../support/command.js'

test('an answer that came while the collector was paused for longer than its time-out is an answer', async () => {
  const sink = await httpDestination()
  let collector: Running | undefined
  let paused = 0
  sink.answer = () => {
    if (paused++ > 0) return undefined
    collector?.child.kill('SIGSTOP')
    void sleep(2_500).then(() => collector?.child.kill('SIGCONT'))
    return undefined
  }
  try {
    const yaml = `
receivers: { stdin: }
exporters:
  webhook:
    endpoint: ${sink.url}
    timeout: 600ms
    retry_on_failure: { initial_interval: 10ms, max_elapsed_time: 0s }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [stdin], exporters: [webhook] }
`
    collector = startCommand(['--config', `yaml:${yaml}`], { input: 'one\ntwo\n' })
    const { code } = await collector.finished
    expect(code).toBe(0)
    expect(sink.requests.map(({ body }) => JSON.parse(body).body)).toEqual(['one', 'two'])
  } finally {
    collector?.child.kill('SIGKILL')
    await sink.close()
  }
})
