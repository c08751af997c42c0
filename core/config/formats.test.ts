import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { byteSize, durationMs } from '../component/units.js'
import {
  checkByteSize,
  checkColor,
  checkDuration,
  checkEndpoint,
  checkHttpUrl,
  checkTimeZone,
  type FormatProblem,
} from './formats.js'
import { checkRegex } from './regex.js'

describe('durationMs', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['500ms', 500],
    ['1us', 0.001],
    ['100µs', 0.1],
    ['2d', 172_800_000],
  ])('%s', (text, ms) => expect(durationMs(text)).toBeCloseTo(ms, 6))

  it('reads what it is given in parts', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(59), fc.nat(999), (hours, minutes, ms) => {
        expect(durationMs(`${hours}h${minutes}m${ms}ms`)).toBe(hours * 3_600_000 + minutes * 60_000 + ms)
      }),
      runs(),
    )
  })

  it('throws on what the check refuses, and only on that', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,3}(ns|us|ms|s|m|h|d|w|)([0-9]s)?$/))
    fc.assert(
      fc.property(text, value => {
        if (checkDuration(value)) expect(() => durationMs(value)).toThrow(RangeError)
        else expect(durationMs(value)).toBeGreaterThanOrEqual(0)
      }),
      runs(),
    )
  })
})

describe('byteSize', () => {
  it.each<[string | number, number]>([
    ['64MiB', 67_108_864],
    ['1MB', 1_000_000],
    ['1.5KiB', 1536],
    ['10 kB', 10_000],
    ['17', 17],
    [17, 17],
  ])('%s', (size, bytes) => expect(byteSize(size)).toBe(bytes))

  it.each(['', 'x', '-1', '1PB', '1Mi', -1, 1.5])('refuses %j', size => {
    expect(() => byteSize(size)).toThrow(RangeError)
  })
})

describe('checks', () => {
  it.each<[(text: string) => FormatProblem | undefined, string]>([
    [checkHttpUrl, 'http://localhost:9428/path?x=1'],
    [checkHttpUrl, 'https://user:pass@[::1]/'],
    [checkEndpoint, '127.0.0.1:4317'],
    [checkEndpoint, '[::1]:0'],
    [checkEndpoint, ':4317'],
    [checkRegex, 'Failed password for (?:invalid user )?(?P<user>\\S+)'],
    [checkColor, '#D32f2f'],
    [checkTimeZone, 'Europe/Paris'],
    [checkTimeZone, 'UTC'],
  ])('%o takes %s', (check, text) => expect(check(text)).toBeUndefined())

  it.each<[(text: string) => FormatProblem | undefined, string, string]>([
    [checkDuration, '30', 'write 30s for seconds'],
    [checkDuration, '5 minutes', 'write 5m'],
    [checkDuration, '1 hour 30 min', 'write 1h30m'],
    [checkDuration, '2w', 'write 14d'],
    [checkDuration, '-5m', 'write 30s'],
    [checkByteSize, '64Mi', 'write 64MiB'],
    [checkByteSize, '10k', 'write 10KB'],
    [checkHttpUrl, 'localhost:9428', 'write http://localhost:9428'],
    [checkHttpUrl, 'htp://x', 'did you mean http://'],
    [checkHttpUrl, 'redis://x', 'only http://'],
    [checkHttpUrl, '', 'write http://HOST'],
    [checkEndpoint, 'http://0.0.0.0:4317/v1', 'only: 0.0.0.0:4317'],
    [checkEndpoint, 'localhost', 'write localhost:PORT'],
    [checkEndpoint, '4317', 'write 127.0.0.1:4317'],
    [checkEndpoint, 'localhost:70000', 'to 65535'],
    [checkRegex, '(?<!x)y', 'look-ahead'],
    [checkRegex, '(a)\\1', 'back-references'],
    [checkRegex, '(a', 'close the "("'],
    [checkColor, 'red', "write '#ff0000'"],
    [checkColor, '#f00', "write '#ff0000'"],
    [checkColor, 'd32f2f', "write '#d32f2f'"],
    [checkTimeZone, 'Paris', 'Europe/Paris'],
    [checkTimeZone, 'Europe/Pari', 'Europe/Paris'],
    [checkTimeZone, 'Nowhere at all', 'IANA'],
  ])('%o says how to mend %j', (check, text, fix) => expect(check(text)?.fix).toContain(fix))

  it('show no password of a URL', () => {
    const { message, fix } = checkHttpUrl('ftp://me:hunter2@host/?token=abc') ?? {}
    expect(`${message}${fix}`).not.toMatch(/hunter2|abc/)
  })

  it('point at what RE2 refuses', () => expect(checkRegex('user (?=x)')?.offset).toBe(5))
})

describe('an address with a password in it', () => {
  const addresses = [
    'user:hunter2@host:9428',
    'http//user:hunter2@host',
    'http://user:hunt/hunter2@host/x',
    'htp://user:hunter2@host',
    'redis://:hunter2@host:6379/0',
    'host/path?token=hunter2 ',
    'http://host:99999/?password=hunter2',
  ]
  it.each(addresses)('is shown without it: %s', text => {
    const shown = JSON.stringify([checkHttpUrl(text), checkEndpoint(text)])
    expect(shown).toContain('host')
    expect(shown).not.toContain('hunter2')
  })

  it.each([
    ['http:/host/x', 'write http://host/x'],
    ['https//host', 'write https://host'],
    ['host:80/x', 'write http://host:80/x'],
  ])('%s: %s', (text, fix) => expect(checkHttpUrl(text)?.fix).toBe(fix))

  it('leaves host and port of a URL', () =>
    expect(checkEndpoint('redis://:hunter2@host:6379/0')?.fix).toBe('write host and port only: host:6379'))
})

it('knows no colours but colours', () => expect(checkColor('constructor')?.fix).toContain('#rrggbb'))
