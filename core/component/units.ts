/** ms in a unit: those of Go's durations, and a day. */
const DURATION_MS: { readonly [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const BYTES: { readonly [unit: string]: number } = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}

/** `1h30m` in ms: 5400000. Units: ns us ms s m h d; `0` needs none. Throws a RangeError on anything else. */
export function durationMs(text: string | number): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new RangeError(`"${text}" is not a duration`)
  return ms
}

/** `64MiB` or a number of bytes: 67108864. Throws a RangeError on anything else. */
export function byteSize(size: string | number): number {
  const bytes = parseByteSize(size)
  if (bytes === undefined) throw new RangeError(`"${size}" is not a size in bytes`)
  return bytes
}

/** `host:port`, `[::1]:port`, or `:port` for all interfaces; a schema with `format: 'endpoint'` has checked it. */
export function parseEndpoint(endpoint: string): { readonly host: string; readonly port: number } {
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { host: host === '' ? '0.0.0.0' : host, port: Number(endpoint.slice(colon + 1)) }
}

/** As `durationMs`, but undefined for anything else. */
export function parseDuration(text: string | number): number | undefined {
  // YAML reads 0 as a number; any other number lacks a unit.
  if (typeof text === 'number') return text === 0 ? 0 : undefined
  if (text === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return undefined
  let ms = 0
  for (const [, number, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    ms += Number(number) * DURATION_MS[unit!]!
  return Number.isFinite(ms) ? ms : undefined
}

/** As `byteSize`, but undefined for anything else. */
export function parseByteSize(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isSafeInteger(text) && text >= 0 ? text : undefined
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]?i?B)?$/.exec(text)
  if (!match) return undefined
  const unit = BYTES[match[2] ?? 'B']
  const bytes = unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
