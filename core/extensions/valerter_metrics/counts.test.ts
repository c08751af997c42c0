import { sampleRecord } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { Counts } from './counts.js'
import { rulesOf } from './rules.js'

const RULES = rulesOf({
  'logs/oom': {
    receivers: ['victorialogs/eu/oom', 'victorialogs/us/oom'],
    processors: ['parser/oom', 'throttle/default/oom', 'template/plain/oom'],
    exporters: ['email/mail', 'telegram/bot', 'webhook/hook'],
  },
})
const from = (vl_source: string, body?: string) =>
  sampleRecord({ id: `${vl_source} ${body}`, ...(body !== undefined && { body }), attributes: { vl_source } })

test('what recipients did not get is counted at the source of the record', () => {
  const counts = new Counts(true)
  const watch = counts.observe(RULES)
  watch.missed?.('logs/oom', 'email/mail', [from('us')])
  watch.missed?.('logs/oom', 'email/mail', [from('us')])
  watch.missed?.('logs/oom', 'telegram/bot', [from('eu')])
  watch.missed?.('logs/oom', 'webhook/hook', [from('eu')])
  watch.missed?.('logs/other', 'email/mail', [from('eu')])
  expect([...counts.of('email_recipient_errors_total')]).toEqual([
    { labels: { rule_name: 'oom', vl_source: 'us', notifier_name: 'mail' }, value: 2 },
  ])
  expect([...counts.of('telegram_chat_errors_total')]).toEqual([
    { labels: { rule_name: 'oom', vl_source: 'eu', notifier_name: 'bot' }, value: 1 },
  ])
})

test('lines that a parser drops are told apart, those of a throttle are not its own', () => {
  const counts = new Counts(true)
  const watch = counts.observe(RULES)
  const [one, two, none] = [
    from('eu', 'a'),
    from('us', 'b'),
    sampleRecord({ id: 'none', attributes: { vl_source: 'us' }, body: null }),
  ]
  watch.processed?.('logs/oom', 'parser/oom', [one, two, none], [one])
  watch.processed?.('logs/oom', 'throttle/default/oom', [one, two], [two])
  expect(
    [...counts.of('parse_errors_total')].map(({ labels, value }) => [
      labels.vl_source,
      labels.error_type,
      value,
    ]),
  ).toEqual([
    ['us', 'regex_no_match', 1],
    ['us', 'invalid_json', 1],
  ])
  expect([...counts.of('alerts_throttled_total')]).toEqual([
    { labels: { rule_name: 'oom', vl_source: 'eu' }, value: 1 },
  ])
  expect([...counts.of('alerts_passed_total')]).toEqual([
    { labels: { rule_name: 'oom', vl_source: 'us' }, value: 1 },
  ])
})

test('of 1.x there is no label of the source', () => {
  const counts = new Counts(false)
  counts.observe(RULES).missed?.('logs/oom', 'email/mail', [from('us')])
  expect([...counts.of('email_recipient_errors_total')]).toEqual([
    { labels: { rule_name: 'oom', notifier_name: 'mail' }, value: 1 },
  ])
})

test('a notifier that a reload could not make is counted each time, in the words of either configuration', () => {
  const counts = new Counts(true)
  const problem = (severity: 'error' | 'warning', ...path: (string | number)[]) => ({
    severity,
    path,
    message: 'x',
  })
  const found = [
    problem('error', 'notifiers', 'hook', 'url'),
    problem('warning', 'notifiers', 'chat', 'body_template'),
    problem('error', 'exporters', 'webhook/on_call', 'endpoint'),
    problem('error', 'rules', 'oom', 'query'),
    problem('error', 'notifiers'),
  ]
  counts.refused(found, { 'webhook/on_call': 'on call' })
  counts.refused(found.slice(0, 1))
  expect([...counts.of('notifier_config_errors_total')]).toEqual([
    { labels: { notifier: 'hook', error_type: 'invalid_config' }, value: 2 },
    { labels: { notifier: 'on call', error_type: 'invalid_config' }, value: 1 },
  ])
})
