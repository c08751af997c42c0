import type { Matcher, SilenceFields } from '#history'

/** What a POST of a silence says, or what is wrong with it, as Alertmanager words it. */
export type SilenceBody =
  | { readonly fields: SilenceFields & { readonly id?: string } }
  | { readonly code: 400 | 422; readonly message: string }

/** A body of `postableSilence` in Alertmanager's API v2. */
export function parseSilence(body: string): SilenceBody {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (error) {
    return unreadable((error as Error).message)
  }
  if (!isObject(json)) return unreadable('it must be an object')
  const { id, matchers, startsAt, endsAt, createdBy, comment } = json
  if (id !== undefined && id !== null && typeof id !== 'string') return wrong('id', id, 'a string')
  if (typeof comment !== 'string') return wrong('comment', comment, 'a string')
  if (typeof createdBy !== 'string') return wrong('createdBy', createdBy, 'a string')
  const start = timeOf(startsAt)
  if (start === undefined) return wrong('startsAt', startsAt, 'a time of RFC 3339')
  const end = timeOf(endsAt)
  if (end === undefined) return wrong('endsAt', endsAt, 'a time of RFC 3339')
  if (!Array.isArray(matchers)) return wrong('matchers', matchers, 'a list')
  if (matchers.length === 0) return missing('matchers', 'should have at least 1 items')
  const read: Matcher[] = []
  for (const [at, one] of matchers.entries()) {
    const place = `matchers.${at}`
    if (!isObject(one)) return wrong(place, one, 'an object')
    const { name, value, isRegex } = one
    const isEqual = one.isEqual ?? true
    if (typeof name !== 'string') return wrong(`${place}.name`, name, 'a string')
    if (typeof value !== 'string') return wrong(`${place}.value`, value, 'a string')
    if (typeof isRegex !== 'boolean') return wrong(`${place}.isRegex`, isRegex, 'a boolean')
    if (typeof isEqual !== 'boolean') return wrong(`${place}.isEqual`, isEqual, 'a boolean')
    read.push({ name, value, isRegex, isEqual })
  }
  const fields = { matchers: read, startsAt: start, endsAt: end, createdBy, comment }
  return { fields: id ? { ...fields, id } : fields }
}

function unreadable(why: string): SilenceBody {
  return { code: 400, message: `parsing silence body from "" failed, because ${why}` }
}

/** What is not there is another mistake than what is no such thing. */
function wrong(field: string, value: unknown, kind: string): SilenceBody {
  return value === undefined || value === null ? missing(field) : unreadable(`${field} must be ${kind}`)
}

function missing(field: string, what = 'is required'): SilenceBody {
  return { code: 422, message: `validation failure list:\nsilence.${field} in body ${what}` }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 3339. */
function timeOf(value: unknown): number | undefined {
  if (
    typeof value !== 'string' ||
    !/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value)
  ) {
    return undefined
  }
  const ms = Date.parse(value.replace(/(\.\d{3})\d+/, '$1'))
  return Number.isNaN(ms) ? undefined : ms
}
