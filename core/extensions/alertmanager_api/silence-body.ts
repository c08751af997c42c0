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
    return { code: 400, message: `parsing silence body from "" failed, because ${(error as Error).message}` }
  }
  if (!isObject(json)) return missing('silence', 'must be of type object')
  const { id, matchers, startsAt, endsAt, createdBy, comment } = json
  if (id !== undefined && id !== null && typeof id !== 'string')
    return missing('id', 'must be of type string')
  if (typeof comment !== 'string') return missing('comment')
  if (typeof createdBy !== 'string') return missing('createdBy')
  const start = timeOf(startsAt)
  if (start === undefined) return missing('startsAt')
  const end = timeOf(endsAt)
  if (end === undefined) return missing('endsAt')
  if (!Array.isArray(matchers)) return missing('matchers')
  if (matchers.length === 0) return missing('matchers', 'should have at least 1 items')
  const read: Matcher[] = []
  for (const [at, one] of matchers.entries()) {
    const { name, value, isRegex, isEqual = true } = isObject(one) ? one : {}
    if (typeof name !== 'string') return missing(`matchers.${at}.name`)
    if (typeof value !== 'string') return missing(`matchers.${at}.value`)
    if (typeof isRegex !== 'boolean') return missing(`matchers.${at}.isRegex`)
    read.push({ name, value, isRegex, isEqual: isEqual !== false })
  }
  const fields = { matchers: read, startsAt: start, endsAt: end, createdBy, comment }
  return { fields: id ? { ...fields, id } : fields }
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
