import { dirname } from 'node:path'
import type { ConfigError } from 'tocsin/component'
import { describe, expect, test } from 'vitest'
import { FORMATS } from '../../../core/cli/load.js'
import { type ConfigEnvironment, loadConfig } from '../../../core/config/index.js'
import { components } from '../components.js'
import { valerterProvider } from '../provider.js'
import { readAsTocsin } from './provider.js'

const MAIN = `victorialogs:
  main:
    url: "http://vl:9428/"
    basic_auth: { username: reader, password: "\${VL_PASS}" }
defaults:
  throttle: { count: 5, window: 60s }
  timestamp_timezone: Europe/Paris
templates:
  plain: { title: "{{ host }}", body: "{{ _msg }}", accent_color: "#ff0000" }
notifiers:
  chat: { type: mattermost, webhook_url: "https://chat/hooks/\${TOKEN}" }
  hook: { type: webhook, url: "https://hook/in", body_template: '{"k": "\${TOKEN}", "t": {{ title | tojson }}}' }
  mail: { type: email, smtp: { host: mx, port: 25 }, from: a@b.c, to: [d@e.f], subject_template: "{{ title }}" }
  bot: { type: telegram, bot_token: "\${TOKEN}", chat_ids: [1], parse_mode: markdownv2 }
rules:
  - name: oom
    query: '"Out of memory"'
    parser: { regex: 'pid (?P<pid>\\d+)' }
    notify: { template: plain, destinations: [chat, hook] }
`

type Files = { readonly [path: string]: string }

function environment(files: Files, env: { readonly [name: string]: string } = {}): ConfigEnvironment {
  const all: Files = { '/etc/valerter/config.yaml': MAIN, ...files }
  return {
    env: { VL_PASS: 's3cret', TOKEN: 't0ken', STATE_DIRECTORY: '/state', ...env },
    cwd: '/etc',
    readFile: async path => {
      const text = all[path]
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
    filesOf: async folder =>
      Object.keys(all)
        .filter(path => dirname(path) === folder && /\/[^./][^/]*\.ya?ml$/.test(path))
        .sort(),
    fetch: async () => ({ status: 404, body: '' }),
  }
}

async function problems(
  main: string,
  files: Files = {},
  env: { [name: string]: string } = {},
): Promise<string[]> {
  const all = environment({ ...files, '/etc/valerter/config.yaml': main }, env)
  const read = await readAsTocsin('valerter/config.yaml', all, FORMATS)
  return read.problems.map(
    ({ file, line, path, message, severity }) =>
      `${severity === 'warning' ? 'warning ' : ''}${file}:${line}: ${path.join('.')}: ${message}`,
  )
}

const change = (from: string | RegExp, to: string): string => {
  const changed = MAIN.replace(from, to)
  expect(changed).not.toBe(MAIN)
  return changed
}

test('what is right has nothing to say', async () => {
  expect(await problems(MAIN)).toEqual([])
})

describe('what Valerter refuses is refused, at its place', () => {
  const RULE = 'rules.oom'
  test.each<[string, () => string, string]>([
    ['bad YAML', () => change('defaults:', 'defaults: ['), 'config.yaml:'],
    ['no templates', () => change(/templates:\n.*\n/, ''), 'templates: there is no template'],
    ['no notifiers', () => change(/notifiers:\n(?: {2}.*\n)*/, ''), 'notifiers: there is no notifier'],
    ['no rules', () => change(/rules:\n[\s\S]*/, ''), 'rules: there is no rule'],
    ['no defaults', () => change(/defaults:\n(?: {2}.*\n)*/, ''), 'defaults'],
    [
      'unknown notifier type',
      () => change('type: mattermost', 'type: slack'),
      ':11: notifiers.chat.type: "slack" is not valid',
    ],
    ['bad regex', () => change('(?P<pid>', '(?P<pid'), `:18: ${RULE}.parser.regex: `],
    ['bad template', () => change('{{ _msg }}', '{{ _msg'), ':9: templates.plain.body: syntax error'],
    [
      'unknown filter',
      () => change('{{ _msg }}', '{% if x %}{{ _msg | shout }}{% endif %}'),
      ':9: templates.plain.body: unknown filter "shout"',
    ],
    [
      'unknown function',
      () => change('{{ _msg }}', '{{ now() }}'),
      ':9: templates.plain.body: unknown function "now"',
    ],
    [
      'a path with a slash',
      () => change('{{ host }}', '{{ k.app.io/name }}'),
      ':9: templates.plain.title: "k.app.io/name" is a division',
    ],
    [
      'unknown template',
      () => change('template: plain', 'template: plane'),
      `:19: ${RULE}.notify.template: there is no template "plane"`,
    ],
    [
      'unknown destination',
      () => change('[chat, hook]', '[chat, hok]'),
      `:19: ${RULE}.notify.destinations.1: there is no notifier "hok"`,
    ],
    [
      'destination twice',
      () => change('[chat, hook]', '[chat, chat]'),
      'the destination "chat" is named twice',
    ],
    [
      'mail without HTML',
      () => change('[chat, hook]', '[mail]'),
      'the template "plain" has no email_body_html, which the destination "mail" needs',
    ],
    [
      'password missing',
      () => change(', password: "${VL_PASS}"', ''),
      'victorialogs.main.basic_auth: the required key "password" is missing',
    ],
    ['zero count', () => change('count: 5', 'count: 0'), 'defaults.throttle.count: '],
    [
      'zero window',
      () => change('window: 60s', 'window: 0s'),
      'defaults.throttle.window: the window is zero',
    ],
    ['bad time zone', () => change('Europe/Paris', 'Europe/Pariss'), 'defaults.timestamp_timezone: '],
    ['bad colour', () => change('#ff0000', 'red'), 'templates.plain.accent_color: '],
    [
      'unknown field',
      () => change('    query:', '    qury: x\n    query:'),
      `${RULE}.qury: unknown key "qury"`,
    ],
    ['unknown section', () => `${MAIN}mertics: {}\n`, 'mertics: unknown key "mertics"'],
    [
      'a pipe that is not tailed',
      () => change(`'"Out of memory"'`, `'* | stats count()'`),
      `:17: ${RULE}.query: `,
    ],
    [
      'unknown source',
      () => change('    notify:', '    vl_sources: [other]\n    notify:'),
      'there is no source "other"',
    ],
    [
      'too many streams',
      () =>
        change('  timestamp', '  max_streams: 1\n  timestamp').replace(
          '  main:',
          '  b: { url: "http://b" }\n  main:',
        ),
      'the enabled rules need 2 streams',
    ],
    [
      'all rules disabled',
      () => change('    query:', '    enabled: false\n    query:'),
      'rules: all rules are disabled',
    ],
    [
      'a broken regex of a disabled rule',
      () =>
        `${MAIN}  - { name: off, enabled: false, query: a, parser: { regex: '(' }, notify: { template: plain, destinations: [chat] } }\n`,
      ':20: rules.off.parser.regex: ',
    ],
    ['no http', () => change('https://hook/in', 'ftp://hook/in'), 'notifiers.hook.url: '],
    [
      'what still holds ${',
      () => change('https://hook/in', 'https://hook/${a-b}'),
      'notifiers.hook.url: there is still a ${ in the URL',
    ],
    [
      'a variable that holds another',
      () => change('http://vl:9428/', 'http://vl/${1X}'),
      ':3: victorialogs.main.url: there is still a ${ in the URL',
    ],
    [
      'a source of 1.x without its URL',
      () => change(/ {2}main:\n.*\n.*\n/, '  basic_auth: { username: a, password: b }\n'),
      'victorialogs: the required key "url" is missing',
    ],
    [
      'no source',
      () => change(/victorialogs:\n.*\n.*\n.*\n/, 'victorialogs: {}\n'),
      'victorialogs: there is no source',
    ],
    ['the pipe join', () => change(`'"Out of memory"'`, `'a | join by (x) (b)'`), ':17: rules.oom.query: '],
    [
      'a class in a class',
      () => change('pid (', '[a-z&&[^b]] ('),
      ':18: rules.oom.parser.regex: a class in a class',
    ],
    [
      'a method',
      () => change('{{ host }}', '{{ host.upper() }}'),
      ':9: templates.plain.title: unknown method "upper"',
    ],
    [
      'rules as a map',
      () => change('  - name: oom\n    query', '  oom:\n    query'),
      'rules: expected a list of rules',
    ],
    [
      'a rule without a name',
      () => change('- name: oom\n    query', '- query'),
      'rules.0: the rule has no name',
    ],
    [
      'an undefined variable of a source',
      () => change('VL_PASS', 'VL_NONE'),
      ':4: victorialogs.main.basic_auth.password: the environment variable VL_NONE is not set',
    ],
    [
      'an undefined variable of a notifier',
      () => change('"${TOKEN}", chat', '"${NONE}", chat'),
      ':14: notifiers.bot.bot_token: the environment variable NONE is not set',
    ],
    [
      'an undefined variable of a webhook body',
      () => change('"k": "${TOKEN}"', '"k": "${NONE}"'),
      ':12: notifiers.hook.body_template: the environment variable NONE is not set',
    ],
    [
      'a rule twice',
      () => `${MAIN}  - { name: oom, query: a, notify: { template: plain, destinations: [chat] } }\n`,
      ':20: rules.oom: the rule "oom" is defined twice, first at valerter/config.yaml:16',
    ],
    [
      'a mail template that is not there',
      () => change('subject_template', 'body_template_file: none.html, subject_template'),
      'notifiers.mail.body_template_file: none.html: the file does not exist',
    ],
  ])('%s', async (_, main, expected) => {
    const found = await problems(main())
    expect(found.join('\n')).toContain(expected)
    expect(found.filter(problem => !problem.startsWith('warning'))).toHaveLength(1)
  })

  test('all of it in one pass', async () => {
    const main = change('{{ _msg }}', '{{ _msg | nope }}')
      .replace('[chat, hook]', '[chut]')
      .replace('60s', '0s')
    expect(await problems(main)).toHaveLength(3)
  })

  test('what an invalid rule, template or notifier is named by or names is looked at all the same', async () => {
    const main = change('(?P<pid>', '(?P<pid')
      .replace(
        'template: plain, destinations: [chat, hook]',
        'template: plane, destinations: [hok, 7, hook, hook]',
      )
      .replace('destinations', 'mattermost_channel: ops, destinations')
      .replace(`'"Out of memory"'`, `'* | stats count()'`)
      .replace('    notify:', '    vl_sources: [other]\n    notify:')
    const found = (await problems(main)).map(problem => problem.replaceAll('valerter/config.yaml', ''))
    expect(found).toEqual([
      expect.stringContaining(':18: rules.oom.parser.regex: RE2 does not accept'),
      ':20: rules.oom.notify.destinations.1: expected text, found the number 7',
      ':20: rules.oom.notify.template: there is no template "plane"',
      ':20: rules.oom.notify.destinations.0: there is no notifier "hok"',
      ':20: rules.oom.notify.destinations.3: the destination "hook" is named twice',
      ':19: rules.oom.vl_sources.0: there is no source "other"',
      expect.stringContaining(
        'warning :20: rules.oom.notify.mattermost_channel: mattermost_channel is ignored',
      ),
      expect.stringContaining(':17: rules.oom.query: VictoriaLogs cannot tail'),
    ])
  })

  test('what only the whole of an entry tells is told where the entry is invalid too', async () => {
    const main = change('- name: oom', '- name: oom\n    enabled: false\n    nope: 1')
      .replace('pid (', '[a-z&&[^b]] (')
      .replace('https://hook/in', 'https://hook/${a-b}')
      .replace('type: webhook,', 'type: webhook, nope: 1,')
    expect(await problems(main)).toEqual([
      expect.stringContaining(':12: notifiers.hook.nope: unknown key'),
      expect.stringContaining(':18: rules.oom.nope: unknown key'),
      expect.stringContaining(':12: notifiers.hook.url: there is still a ${'),
      expect.stringContaining(':20: rules.oom.parser.regex: a class in a class'),
      expect.stringContaining('rules: all rules are disabled'),
    ])
  })

  test('a mail without HTML is told where the notifier or the template is invalid too', async () => {
    const main = change('[chat, hook]', '[mail]').replace('to: [d@e.f]', 'to: []').replace('#ff0000', 'red')
    expect(await problems(main)).toEqual([
      expect.stringContaining(':9: templates.plain.accent_color: '),
      expect.stringContaining(':13: notifiers.mail.to: '),
      expect.stringContaining('has no email_body_html, which the destination "mail" needs'),
    ])
  })
})

test('names that files of the folders share are told with both places', async () => {
  const template = 'plain: { title: a, body: b }\n'
  expect(await problems(MAIN, { '/etc/valerter/templates.d/a.yaml': `# note\n${template}` })).toEqual([
    'valerter/templates.d/a.yaml:2: templates.plain: the template "plain" is defined twice, first at valerter/config.yaml:9',
  ])
  const files = {
    '/etc/valerter/notifiers.d/a.yml': 'x: { type: webhook, url: "http://a" }\n',
    '/etc/valerter/notifiers.d/b.yml': 'x: { type: webhook, url: "http://a" }\n',
  }
  expect((await problems(MAIN, files))[0]).toContain('first at valerter/notifiers.d/a.yml:1')
})

test('warnings: a channel that nobody uses, a variable that no notifier has', async () => {
  const channel = change('[chat, hook]', '[hook], mattermost_channel: ops')
  expect(await problems(channel)).toEqual([
    expect.stringContaining(
      'warning valerter/config.yaml:19: rules.oom.notify.mattermost_channel: mattermost_channel is ignored',
    ),
  ])
  expect(await problems(change('{{ title | tojson }}', '{{ host | tojson }}'))).toEqual([
    expect.stringContaining(
      'warning valerter/config.yaml:12: notifiers.hook.body_template: "host" is no variable',
    ),
  ])
})

test('1.x and 2.x are told apart', async () => {
  const one = change(/victorialogs:\n[\s\S]*?defaults/, 'victorialogs: { url: "http://vl" }\ndefaults')
  const notes = async (main: string) =>
    (await readAsTocsin('valerter/config.yaml', environment({ '/etc/valerter/config.yaml': main }), FORMATS))
      .notes
  expect(await notes(one)).toEqual([
    expect.stringContaining('1.x, one source, 1 rule, 1 template, 4 notifiers'),
  ])
  expect(await notes(MAIN)).toEqual([expect.stringContaining('2.x, 1 source, 1 rule')])
})

test('without a place to write, that is said', async () => {
  const here = environment({}, { STATE_DIRECTORY: '' })
  const { notes, node } = await readAsTocsin('valerter/config.yaml', here, FORMATS)
  expect(notes?.[1]).toContain('are lost at a restart')
  expect(JSON.stringify(node?.entries.get('service')?.value.kind)).toBe('"map"')
})

describe('what components find is told at its place in the directory', () => {
  async function all(main: string, files: Files = {}): Promise<readonly string[]> {
    const request = {
      sources: ['valerter:valerter/config.yaml'],
      sets: [],
      factories: components,
      formats: FORMATS,
      common: {},
      environment: environment({ ...files, '/etc/valerter/config.yaml': main }),
      providers: [valerterProvider],
    }
    const found = await loadConfig(request).then(
      ({ warnings }) => warnings,
      (error: ConfigError) => error.problems,
    )
    return found.map(({ file, line, path, message }) => `${file}:${line}: ${path.join('.')}: ${message}`)
  }

  test('in one pass with what the directory itself has', async () => {
    const main = change('60s', '0s')
      .replace('to: [d@e.f]', 'to: [nobody]')
      .replace('type: webhook,', 'type: webhook, headers: { "X Bad": a },')
      .replace('chat, hook]', 'chat, hok]')
    expect(await all(main)).toEqual([
      'valerter/config.yaml:6: defaults.throttle.window: the window is zero',
      'valerter/config.yaml:12: notifiers.hook.headers.X Bad: "X Bad" is no name of an HTTP header',
      expect.stringContaining(
        'valerter/config.yaml:13: notifiers.mail.to.0: "nobody" is not one mail address',
      ),
      'valerter/config.yaml:19: rules.oom.notify.destinations.1: there is no notifier "hok"',
    ])
  })

  test('with its warnings', async () => {
    const main = change('[chat, hook]', '[hook], mattermost_channel: ops').replace('(?P<pid>', '(?P<pid')
    expect(await all(main)).toEqual([
      expect.stringContaining(':18: rules.oom.parser.regex: '),
      expect.stringContaining(':19: rules.oom.notify.mattermost_channel: mattermost_channel is ignored'),
    ])
  })

  test('in the files of the folders, and once', async () => {
    const files = {
      '/etc/valerter/notifiers.d/m.yaml':
        '# mail\nmail2: { type: email, smtp: { host: mx, port: 25, username: u }, from: a@b.c, to: [d@e.f], subject_template: x }\n',
    }
    expect(await all(MAIN, files)).toEqual([
      expect.stringContaining(
        'valerter/notifiers.d/m.yaml:2: notifiers.mail2.smtp.username: there is a username',
      ),
    ])
    expect(await all(change('{{ _msg }}', '{{ _msg | nope }}'))).toHaveLength(1)
  })

  test('a warning of a source, and none for what no rule uses', async () => {
    const both = change(
      '    basic_auth:',
      '    headers: { Authorization: "Bearer ${TOKEN}" }\n    basic_auth:',
    )
    expect(await all(both)).toEqual([
      'valerter/config.yaml:4: victorialogs.main.headers.Authorization: the Authorization header wins, basic_auth is not used',
    ])
    const unused = change('  main:', '  other: { url: "http://o" }\n  main:').replace(
      '    notify:',
      '    vl_sources: [main]\n    notify:',
    )
    expect(await all(unused)).toEqual([])
  })
})

test('a mail template in a file is relative to config.yaml, and its faults are told in it', async () => {
  const mail = change('subject_template:', 'body_template_file: mail/a.html, subject_template:')
  const files = { '/etc/valerter/mail/a.html': '<p>\n{{ body | shout }}{{ host }}</p>' }
  expect(await problems(mail, files)).toEqual([
    'valerter/mail/a.html:2: notifiers.mail.body_template_file: unknown filter "shout"',
    'warning valerter/mail/a.html:2: notifiers.mail.body_template_file: "host" is no variable of a notifier\'s template',
  ])
})
