import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TABLE } from '../../core/extensions/valerter_metrics/table.js'
import { runCommand } from '../support/command.js'
import { shared, sharedTitle } from '../support/shared.js'
import {
  bodies,
  command,
  FIXTURES,
  metrics,
  started,
  stopped,
  until,
  value,
  world,
} from '../support/valerter-world.js'

describe('a Valerter directory of 2.x', () => {
  test('runs as it is: payloads, mails, throttle and metrics', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const { server, sink, mails } = here
    const running = await started(here, 3, [
      '--config',
      `yaml:exporters: {telegram/bot: {endpoint: '${here.sink.url}'}}`,
    ])
    const base = BigInt(Date.now()) * 1_000_000n
    const line = (msg: string, fields: object, at: number) =>
      server.insert({
        msg,
        time: base + BigInt(at) * 1_000_000n,
        stream: { host: 'web-1' },
        fields: fields as never,
      })
    line('Out of memory: Killed process 12 (java)', { host: 'web-1' }, 1)
    line('Out of memory: Killed process 13 (java)', { host: 'web-1' }, 2)
    line('Out of memory: Killed process of nobody', { host: 'web-1' }, 3)
    line('GET /a <b>', { host: 'web-1', status: '500', 'request.path': '/a' }, 4)
    line('a *b* <c>', { host: 'web-1', kind: 'md' }, 5)
    await until(
      () => bodies(sink, '/chat').length >= 2 && mails.length >= 4 && sink.requests.length >= 7,
      () => JSON.stringify(running.output()),
    )

    const chat = bodies(sink, '/chat') as unknown as { channel: string }[]
    const oom = chat.find(({ channel }) => channel === 'kernel')
    const marked = chat.find(({ channel }) => channel === 'ops')
    const time = berlin(Number(base / 1_000_000n) + 1)
    expect(oom).toEqual({
      channel: 'kernel',
      attachments: [
        {
          fallback: 'Alert on web-1',
          color: '#ff0000',
          title: 'Alert on web-1',
          text: 'Out of memory: Killed process 12 (java)',
          footer: `valerter | oom | eu | ${time}`,
        },
      ],
    })
    expect(marked).toMatchObject({
      channel: 'ops',
      attachments: [{ text: '**web-1** says `a *b* <c>` and a \\*b\\* <c>' }],
    })
    const hooks = bodies(sink, '/hook') as unknown as { rule_name: string }[]
    const hook = hooks.find(({ rule_name }) => rule_name === 'oom')
    const hookMarked = hooks.find(({ rule_name }) => rule_name === 'md')
    expect(hook).toEqual({
      alert_name: 'hook',
      rule_name: 'oom',
      vl_source: 'eu',
      title: 'Alert on web-1',
      body: 'Out of memory: Killed process 12 (java)',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      log_timestamp: new Date(Number(base / 1_000_000n) + 1).toISOString().replace('.000Z', 'Z'),
      log_timestamp_formatted: time,
    })
    expect(hookMarked).toMatchObject({ body: 'web-1 says a *b* <c> and a *b* <c>' })
    const [own] = sink.requests.filter(({ path }) => path === '/own')
    expect(own?.method).toBe('PUT')
    expect(own?.headers.authorization).toBe('Bearer s3cret-token')
    expect(JSON.parse(own?.body ?? '')).toEqual({
      token: 's3cret-token',
      text: '500 on /A',
      path: '/a',
      rule: 'http_5xx',
      source: 'us',
      price: '$5',
    })
    const web = mails.filter(({ data }) => data.includes('Subject: [HTTP_5XX] 500 on /A'))
    expect(web.map(({ to }) => to).sort()).toEqual(['oncall@example.com', 'ops@example.com'])
    expect(web[0]?.data).toContain(
      '<h1>500 on /A</h1><div><b>500</b> GET /a &lt;b&gt;</div><i>GET /a &lt;b&gt;</i>',
    )
    expect(mails.find(({ data }) => data.includes('[MD]'))?.data).toContain(
      '<strong>web-1</strong> says <code>a *b* &lt;c&gt;</code> and a *b* &lt;c&gt;',
    )
    const telegram = sink.requests.filter(({ path }) => path === '/bots3cret-token/sendMessage')
    expect(telegram.map(({ body }) => JSON.parse(body))).toMatchObject(
      ['-100', '42'].map(chat_id => ({
        chat_id,
        parse_mode: 'HTML',
        text: '<b>web-1</b>\n<b>web-1</b> says <code>a *b* &lt;c&gt;</code> and a *b* &lt;c&gt;',
      })),
    )

    const oomLabels = { rule_name: 'oom', vl_source: 'eu' }
    await until(async () => (value(await metrics(here.metricsUrl), 'parse_errors_total', oomLabels) ?? 0) > 0)
    const text = await metrics(here.metricsUrl)
    expect(value(text, 'logs_matched_total', oomLabels)).toBe(2)
    expect(value(text, 'alerts_passed_total', oomLabels)).toBe(1)
    expect(value(text, 'alerts_throttled_total', oomLabels)).toBe(1)
    expect(value(text, 'parse_errors_total', { ...oomLabels, error_type: 'regex_no_match' })).toBe(1)
    expect(
      value(text, 'alerts_sent_total', { ...oomLabels, notifier_name: 'chat', notifier_type: 'mattermost' }),
    ).toBe(1)
    expect(value(text, 'vl_source_up', { vl_source: 'us' })).toBe(1)
    expect(value(text, 'query_duration_seconds_count', oomLabels)).toBe(1)
    expect(text).toContain('otelcol_exporter_sent_log_records')
    const { stderr, stdout, code } = await stopped(running)
    expect(code).toBe(0)
    expect(stderr + stdout).not.toContain('s3cret')
    expect(stderr).toContain('Read the Valerter configuration')
  })

  test('has every metric of the table from the start, with its labels, at zero', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const running = await started(here, 3)
    const text = await metrics(here.metricsUrl)
    await stopped(running)
    const names = new Set([...text.matchAll(/^# TYPE valerter_(\w+)/gm)].map(([, name]) => name))
    expect([...names]).toEqual(TABLE.filter(({ only }) => only !== '1.x').map(({ name }) => name))
    const keys = (name: string): string =>
      [
        ...(new RegExp(`^valerter_${name}(?:_count)?\\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? '').matchAll(
          /(\w+)=/g,
        ),
      ]
        .map(([, key]) => key)
        .join(' ')
    expect(Object.fromEntries([...names].map(name => [name, keys(name as string)]))).toMatchSnapshot()
    for (const name of names)
      if (!/^(uptime_seconds|build_info|vl_source_up|last_query|query_duration)/.test(name as string))
        expect([name, value(text, name as string)]).toEqual([name, 0])
  })

  test('persists: a second start alerts on nothing twice, and a throttle goes on', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const first = await started(here, 3)
    const time = BigInt(Date.now()) * 1_000_000n
    const fields = { host: 'web-1' } as never
    here.server.insert({ msg: 'Killed process 1 (java)', time, stream: { a: 'b' }, fields })
    await here.sink.waitFor(1, '/hook')
    await stopped(first)
    const second = await started(here, 3)
    here.server.insert(
      { msg: 'Killed process 2 (java)', time: BigInt(Date.now()) * 1_000_000n, stream: { a: 'b' }, fields },
      {
        msg: 'Killed process 3 (perl)',
        time: BigInt(Date.now()) * 1_000_000n + 1n,
        stream: { a: 'b' },
        fields,
      },
    )
    await here.sink.waitFor(2, '/hook')
    await stopped(second)
    expect(bodies(here.sink, '/hook').map(({ body }) => body)).toEqual([
      'Killed process 1 (java)',
      'Killed process 3 (perl)',
    ])
  })
})

test('a Valerter directory of 1.x runs as it is', async () => {
  const here = await world(join(FIXTURES, 'v1'))
  const running = await started(here, 1)
  const time = BigInt(Date.now()) * 1_000_000n
  here.server.insert({
    msg: 'disk is 97% full',
    time,
    stream: { host: 'db' },
    fields: { host: 'db' } as never,
  })
  await here.sink.waitFor(1, '/ops')
  await here.sink.waitFor(1, '/chat')
  const [ops] = bodies(here.sink, '/ops')
  expect(Object.keys(ops ?? {})).toEqual([
    'alert_name',
    'rule_name',
    'title',
    'body',
    'timestamp',
    'log_timestamp',
    'log_timestamp_formatted',
  ])
  expect(ops).toMatchObject({
    rule_name: 'disk full',
    title: 'Disk 97% on db',
    body: 'disk is 97% full (disk full)',
  })
  const [chat] = bodies(here.sink, '/chat') as unknown as [{ attachments: [{ footer: string }] }]
  expect(chat.attachments[0].footer).toMatch(
    /^valerter \| disk full \| \d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d E[SD]T$/,
  )
  expect(chat.attachments[0]).not.toHaveProperty('color')
  const text = await metrics(here.metricsUrl)
  expect(value(text, 'victorialogs_up', { rule_name: 'disk full' })).toBe(1)
  expect(text).not.toContain('valerter_vl_source_up')
  expect(text.split('\n').filter(line => line.startsWith('valerter_') && line.includes('vl_source'))).toEqual(
    [],
  )
  expect((await stopped(running)).code).toBe(0)
})

const NATIVE = shared('contract/valerter-native')
test.skipIf(!NATIVE)(
  sharedTitle('the directory of the contract runs as it is', 'contract/valerter-native'),
  async () => {
    const here = await world(NATIVE as string)
    const running = await started(here, 2)
    const ms = Date.now()
    const insert = (msg: string, at: number, fields: object) =>
      here.server.insert({
        msg,
        time: BigInt(ms + at) * 1_000_000n,
        stream: { host: 'n1' },
        fields: fields as never,
      })
    insert('Out of memory: Killed process 7 (nginx)', 0, { host: 'n1' })
    insert('Out of memory: Killed process 8 (nginx)', 1, { host: 'n1' })
    insert('GET /a <b>', 2, { host: 'n1', status: '500', 'request.path': '/a' })
    await until(
      () =>
        bodies(here.sink, '/hook').length >= 2 &&
        here.mails.length >= 2 &&
        bodies(here.sink, '/chat').length >= 1,
      () => JSON.stringify(running.output()),
    )
    const time = inZone(ms, 'Europe/Paris')
    expect(bodies(here.sink, '/chat')).toEqual([
      {
        channel: 'kernel',
        attachments: [
          {
            fallback: 'Alert on n1',
            color: '#ff0000',
            title: 'Alert on n1',
            text: 'Out of memory: Killed process 7 (nginx)',
            footer: `valerter | oom | main | ${time}`,
          },
        ],
      },
    ])
    const payload = {
      alert_name: 'hook',
      vl_source: 'main',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      log_timestamp: expect.stringMatching(/Z$/),
    }
    const hooks = bodies(here.sink, '/hook') as unknown as { rule_name: string }[]
    expect(hooks.find(({ rule_name }) => rule_name === 'oom')).toEqual({
      ...payload,
      rule_name: 'oom',
      title: 'Alert on n1',
      body: 'Out of memory: Killed process 7 (nginx)',
      log_timestamp_formatted: time,
    })
    expect(hooks.find(({ rule_name }) => rule_name === 'http_5xx')).toEqual({
      ...payload,
      rule_name: 'http_5xx',
      title: '500 on /A',
      body: 'n1: GET /a <b>',
      log_timestamp_formatted: expect.stringMatching(/ CES?T$/),
    })
    expect(here.mails.map(({ to }) => to).sort()).toEqual(['oncall@example.com', 'ops@example.com'])
    for (const { data } of here.mails) {
      expect(data).toContain('Subject: [HTTP_5XX] 500 on /A')
      expect(data).toContain('<b>500</b> GET /a &lt;b&gt;')
    }
    const oom = { rule_name: 'oom', vl_source: 'main' }
    await until(async () => value(await metrics(here.metricsUrl), 'alerts_throttled_total', oom) === 1)
    const text = await metrics(here.metricsUrl)
    expect(value(text, 'logs_matched_total', oom)).toBe(2)
    expect(value(text, 'alerts_passed_total', oom)).toBe(1)
    for (const [notifier_name, notifier_type, rule_name] of [
      ['chat', 'mattermost', 'oom'],
      ['hook', 'webhook', 'oom'],
      ['hook', 'webhook', 'http_5xx'],
      ['mail', 'email', 'http_5xx'],
    ] as const)
      expect(value(text, 'alerts_sent_total', { rule_name, notifier_name, notifier_type })).toBe(1)
    expect((await stopped(running)).code).toBe(0)
  },
)

describe('the command line', () => {
  test('--validate says what there is and exits 0; without variables it exits 1', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const good = await runCommand(['--config', here.config, '--validate'], { command, env: here.env })
    expect(good.code).toBe(0)
    expect(good.stdout).toContain('2.x, 2 sources, 4 rules (1 disabled), 3 templates, 5 notifiers')
    expect(good.stdout + good.stderr).not.toContain('s3cret')
    const { TOKEN: _, ...without } = here.env
    const bad = await runCommand(['-c', here.config, '--validate'], { command, env: without })
    expect(bad.code).toBe(1)
    expect(bad.stderr).toMatch(
      /more\.yml:\d+:\d+: notifiers\.own\.headers\.Authorization: the environment variable TOKEN is not set/,
    )
  })

  test('the summary shows where things go, and nothing of what a variable brings into a path', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const text = await readFile(here.config, 'utf8')
    const token = '${TOKEN}'
    await writeFile(
      here.config,
      text
        .replace('${SINK}/chat', () => `https://chat.example.com/hooks/${token}`)
        .replace('${VL_URL}/', () => `http://vl.example.com:9428/${token}/?key=${token}`),
    )
    const { code, stdout, stderr } = await runCommand(['-c', here.config, '--validate'], {
      command,
      env: here.env,
    })
    expect([code, stderr]).toEqual([1, expect.stringContaining('query string')])
    await writeFile(
      here.config,
      text
        .replace('${SINK}/chat', () => `https://chat.example.com/hooks/${token}`)
        .replace('${VL_URL}/', () => `http://vl.example.com:9428/${token}/`),
    )
    const good = await runCommand(['-c', here.config, '--validate'], { command, env: here.env })
    expect(good.code).toBe(0)
    expect(good.stdout).toContain('us: http://vl.example.com:9428/***\n')
    expect(good.stdout).toContain('chat: mattermost, https://chat.example.com/***\n')
    expect(stdout + stderr + good.stdout + good.stderr).not.toContain('s3cret')
  })

  test('SIGHUP reads the directory again: a bad notifier is counted and changes nothing, a new rule runs; logs are JSON', async () => {
    const here = await world(join(FIXTURES, 'v2'))
    const running = await started(here, 3, ['--log-format', 'json'])
    const more = join(here.folder, 'etc/notifiers.d/zz.yaml')
    await writeFile(more, 'late: { type: webhook, url: "${SINK_OF_NOBODY}/late" }\n')
    running.child.kill('SIGHUP')
    const failed = { notifier: 'late', error_type: 'invalid_config' }
    await until(
      async () => value(await metrics(here.metricsUrl), 'notifier_config_errors_total', failed) === 1,
      () => JSON.stringify(running.output()),
    )
    await writeFile(more, 'late: { type: webhook, url: "${SINK}/late" }\n')
    await writeFile(
      join(here.folder, 'etc/rules.d/late.yaml'),
      'late: { query: \'"late one"\', parser: {}, notify: { template: plain, destinations: [late] } }\n',
    )
    running.child.kill('SIGHUP')
    await running.says(/The new configuration is in force/)
    const time = BigInt(Date.now()) * 1_000_000n
    here.server.insert({ msg: 'a late one', time, stream: { a: 'b' }, fields: { host: 'h' } as never })
    await here.sink.waitFor(1, '/late')
    expect(bodies(here.sink, '/late')[0]).toMatchObject({ rule_name: 'late', body: 'a late one' })
    const { stderr, code } = await stopped(running)
    expect(code).toBe(0)
    const lines = stderr.split('\n').filter(line => line !== '')
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg')
  })

  test('a path that is not there, and a flag that is none', async () => {
    const none = await runCommand([], { command })
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('/etc/valerter/config.yaml')
    expect((await runCommand(['--nope'], { command })).code).toBe(1)
  })
})

function berlin(ms: number): string {
  return inZone(ms, 'Europe/Berlin')
}

function inZone(ms: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(new Date(ms))
  const short = new Date(ms).toLocaleString('en-US', {
    timeZone,
    timeZoneName: 'longOffset',
  })
  return `${parts.replace(',', '')} ${short.includes('+02') ? 'CEST' : 'CET'}`
}
