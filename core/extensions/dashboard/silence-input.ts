import type { SilenceInput } from './messages.js'
import { BadRequest } from './query.js'

type Kind = 'string' | 'number' | 'boolean'

const FIELDS: { readonly [name: string]: Kind } = {
  startsAt: 'number',
  endsAt: 'number',
  createdBy: 'string',
  comment: 'string',
}
const MATCHER: { readonly [name: string]: Kind } = {
  name: 'string',
  value: 'string',
  isRegex: 'boolean',
  isEqual: 'boolean',
}

/** The shape of a silence; what it says is for the history to judge. */
export function checkSilence(body: unknown): SilenceInput {
  const silence = shaped(body, 'The silence', FIELDS) as unknown as SilenceInput
  const { id, matchers } = silence
  if (id !== undefined && typeof id !== 'string')
    throw new BadRequest(400, 'The silence: "id" must be a string.')
  if (!Array.isArray(matchers)) throw new BadRequest(400, 'The silence: "matchers" must be a list.')
  const { startsAt, endsAt, createdBy, comment } = silence
  return {
    ...(id !== undefined && { id }),
    matchers: matchers.map(each => {
      const { name, value, isRegex, isEqual } = shaped(each, 'A matcher', MATCHER) as never
      return { name, value, isRegex, isEqual }
    }),
    ...{ startsAt, endsAt, createdBy, comment },
  }
}

function shaped(value: unknown, what: string, kinds: { readonly [name: string]: Kind }): object {
  if (typeof value !== 'object' || value === null) throw new BadRequest(400, `${what} must be a map.`)
  for (const [name, kind] of Object.entries(kinds)) {
    const given = (value as { readonly [name: string]: unknown })[name]
    if (typeof given !== kind || (kind === 'number' && !Number.isFinite(given)))
      throw new BadRequest(400, `${what}: "${name}" must be a ${kind}.`)
  }
  return value
}
