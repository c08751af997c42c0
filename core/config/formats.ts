import type { ConfigSchema, SchemaFormat } from '../component/index.js'
import { parseByteSize, parseDuration } from '../component/units.js'
import { redactBadUrl } from './secrets.js'
import { nearest } from './suggest.js'

/** What is wrong with a text of a format. Message and fix stand by themselves. */
export interface FormatProblem {
  readonly message: string
  readonly fix?: string
  /** Where in the text, from 0: lets the problem name line and column inside of a long text. */
  readonly offset?: number
}

export type FormatCheck = (text: string) => FormatProblem | readonly FormatProblem[] | undefined
export type FormatCheckers = { readonly [format in Exclude<SchemaFormat, 'template'>]: FormatCheck } & {
  /** `engine`: the setting of that name beside the template. */
  readonly template: (text: string, engine?: 'handlebars' | 'jinja') => ReturnType<FormatCheck>
}

/** Languages come with libraries: they are loaded when a configuration has a value in them. */
export type LazyChecks = { readonly [format in SchemaFormat]?: () => Promise<FormatCheck> }

/** All checks: ours, and those of languages. */
export class Formats {
  /** The same object for as long as nothing is loaded, as compiled schemas are kept by it. */
  #checkers: FormatCheckers

  constructor(private readonly languages: LazyChecks) {
    const missing = Object.keys(languages).map(name => [name, notLoaded(name)])
    this.#checkers = { ...OURS, ...Object.fromEntries(missing) } as FormatCheckers
  }

  async load(used: ReadonlySet<SchemaFormat>): Promise<FormatCheckers> {
    for (const name of used) {
      const language = this.languages[name]
      if (language && NOT_LOADED in this.#checkers[name])
        this.#checkers = { ...this.#checkers, [name]: await language() }
    }
    return this.#checkers
  }
}

const OURS = {
  duration: checkDuration,
  'byte-size': checkByteSize,
  'http-url': checkHttpUrl,
  endpoint: checkEndpoint,
  color: checkColor,
  'time-zone': checkTimeZone,
}

const NOT_LOADED = Symbol('not loaded')

function notLoaded(name: string): FormatCheck {
  const check = (): never => {
    throw new Error(`the check of the format ${name} is not loaded`)
  }
  return Object.assign(check, { [NOT_LOADED]: true })
}

/** The formats that values of a schema may have. */
export function formatsOf(schema: ConfigSchema): SchemaFormat[] {
  const { format, properties = {}, additionalProperties, items, anyOf = [] } = schema
  const parts = [...Object.values(properties), ...anyOf, ...(items ? [items] : [])]
  if (typeof additionalProperties === 'object') parts.push(additionalProperties)
  return [...(format ? [format] : []), ...parts.flatMap(formatsOf)]
}

/** How a format is called, and what a right value looks like. */
export const FORMAT_WORDS: {
  readonly [format in SchemaFormat]: { readonly name: string; readonly like: string }
} = {
  duration: { name: 'a duration', like: '30s, 5m or 1h30m' },
  'byte-size': { name: 'a size', like: '64MiB or 1MB' },
  'http-url': { name: 'an http(s) URL', like: 'https://example.com/path' },
  endpoint: { name: 'host:port', like: '127.0.0.1:4317' },
  regex: { name: 'a regular expression', like: "'error: (?P<reason>.*)'" },
  template: { name: 'a template', like: "'{{ip}}'" },
  jinja: { name: 'a Jinja template', like: "'{{ ip }}'" },
  condition: { name: 'a condition', like: `'attributes["level"] == "error"'` },
  path: { name: 'a path', like: 'attributes["host.name"]' },
  color: { name: 'a colour', like: "'#d32f2f'" },
  'time-zone': { name: 'a time zone', like: 'Europe/Paris' },
}

export function checkDuration(text: string): FormatProblem | undefined {
  if (parseDuration(text) !== undefined) return undefined
  const message = `"${text}" is not a duration`
  if (text === '') return { message: 'the duration is empty', fix: 'write 30s, 5m or 1h30m' }
  if (/^\d+(\.\d+)?$/.test(text)) {
    return {
      message: `"${text}" has no unit`,
      fix: `write ${text}s for seconds, ${text}m for minutes or ${text}h for hours`,
    }
  }
  if (/^-/.test(text)) return { message: `${message}: it is negative`, fix: 'write 30s, 5m or 1h30m' }
  const meant = longUnits(text)
  if (meant !== undefined && parseDuration(meant) !== undefined) return { message, fix: `write ${meant}` }
  return { message, fix: 'write numbers with units (ns us ms s m h d): 30s, 5m or 1h30m' }
}

export function checkByteSize(text: string): FormatProblem | undefined {
  if (parseByteSize(text) !== undefined) return undefined
  const message = `"${text}" is not a size`
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)(?:b|bytes)?$/i.exec(text)
  if (match) return { message, fix: `write ${match[1]}${match[2]!.toUpperCase()}${match[3]!.toLowerCase()}B` }
  return { message, fix: 'write 64MiB, 1MB or a number of bytes' }
}

export function checkHttpUrl(text: string): FormatProblem | undefined {
  if (text === '') return { message: 'the URL is empty', fix: 'write http://HOST:PORT or https://HOST/PATH' }
  const shown = redactBadUrl(text)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    const [, scheme = 'http', rest = ''] =
      /^(?:(https?)(?::\/|\/\/))?([\w.[\]:-]+(?:\/.*)?)$/i.exec(shown) ?? []
    return {
      message: `"${shown}" has no http:// or https://`,
      fix: rest === '' ? 'write http://HOST:PORT' : `write ${scheme}://${rest}`,
    }
  }
  if (scheme !== 'http' && scheme !== 'https') {
    const fix = nearest(scheme, ['http', 'https'])
    return {
      message: `"${shown}" is not an http(s) URL: it starts with "${scheme}://"`,
      fix: fix === undefined ? 'only http:// and https:// work here' : `did you mean ${fix}://?`,
    }
  }
  if (URL.canParse(text) && !/\s/.test(text)) return undefined
  return { message: `"${shown}" is not a valid URL`, fix: 'write http://HOST:PORT or https://HOST/PATH' }
}

export function checkEndpoint(text: string): FormatProblem | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:.*@)?([^/]*)/is.exec(text)
  if (url) return { message: `"${redactBadUrl(text)}" is a URL`, fix: `write host and port only: ${url[1]}` }
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]*):(\d+)$/.exec(text)
  if (match && Number(match[2]) <= 65_535) return undefined
  if (match) return { message: `the port ${match[2]} is too high`, fix: 'ports go from 0 to 65535' }
  if (text === '') return { message: 'the endpoint is empty', fix: 'write host:port, such as 127.0.0.1:4317' }
  if (/^\d+$/.test(text))
    return {
      message: `"${text}" has no host`,
      fix: `write 127.0.0.1:${text}, or 0.0.0.0:${text} for all addresses`,
    }
  if (/^[\w.-]+$/.test(text)) return { message: `"${text}" has no port`, fix: `write ${text}:PORT` }
  return {
    message: `"${redactBadUrl(text)}" is not host:port`,
    fix: 'write 127.0.0.1:4317; an IPv6 address goes in brackets: [::1]:4317',
  }
}

export function checkColor(text: string): FormatProblem | undefined {
  if (/^#[0-9a-f]{6}$/i.test(text)) return undefined
  const message = `"${text}" is not a colour`
  const named = Object.hasOwn(COLORS, text.toLowerCase()) ? COLORS[text.toLowerCase()] : undefined
  if (named) return { message: `${message} of the form #rrggbb`, fix: `write '${named}'` }
  if (/^[0-9a-f]{6}$/i.test(text)) return { message: `${message}: the # is missing`, fix: `write '#${text}'` }
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text)
  if (short)
    return {
      message: `${message} of the form #rrggbb`,
      fix: `write '#${short
        .slice(1)
        .map(x => x + x)
        .join('')}'`,
    }
  return { message, fix: "write '#rrggbb' in hexadecimal, such as '#d32f2f'" }
}

export function checkTimeZone(text: string): FormatProblem | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return undefined
  } catch {
    const zones = Intl.supportedValuesOf('timeZone')
    const city = zones.find(zone =>
      zone.toLowerCase().endsWith(`/${text.toLowerCase().replaceAll(' ', '_')}`),
    )
    const near = city ?? nearest(text, zones)
    return {
      message: `"${text}" is not a time zone`,
      fix: near === undefined ? 'write an IANA name such as Europe/Paris or UTC' : `did you mean ${near}?`,
    }
  }
}

const COLORS: { readonly [name: string]: string } = {
  red: '#ff0000',
  green: '#008000',
  blue: '#0000ff',
  yellow: '#ffff00',
  orange: '#ffa500',
  purple: '#800080',
  black: '#000000',
  white: '#ffffff',
  gray: '#808080',
  grey: '#808080',
  good: '#2eb886',
  warning: '#daa038',
  danger: '#a30200',
}

function longUnits(text: string): string | undefined {
  const units: { readonly [unit: string]: string } = {
    sec: 's',
    min: 'm',
    hr: 'h',
    mon: '',
    week: 'w',
    w: 'w',
  }
  const compact = text.toLowerCase().replace(/\s|,|and/g, '')
  const short = compact.replace(/([a-z]+)/g, word => {
    const singular = word.length > 2 ? word.replace(/s$/, '') : word
    const known = {
      second: 's',
      minute: 'm',
      hour: 'h',
      day: 'd',
      millisecond: 'ms',
      millis: 'ms',
      ...units,
    }[singular]
    return known ?? word
  })
  const weeks = /^(\d+)w$/.exec(short)
  return weeks ? `${Number(weeks[1]) * 7}d` : short
}
