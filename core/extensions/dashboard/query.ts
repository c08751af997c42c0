/** A request that asks for what cannot be; the message is for who asked. */
export class BadRequest extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

const MAX_VALUES = 100
const MAX_IDS = 1_000

/** All values of a parameter; an empty one is a value. */
export function listIn(query: URLSearchParams, name: string): readonly string[] {
  const list = query.getAll(name)
  if (list.length > MAX_VALUES) throw new BadRequest(400, `More than ${MAX_VALUES} values of ${name}.`)
  return list
}

export function momentIn(query: URLSearchParams, name: string): number | undefined {
  return numberIn(query, name, 0, 8.64e15)
}

export function numberIn(
  query: URLSearchParams,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new BadRequest(400, `${name} must be a whole number from ${least} to ${most}.`)
  return value
}

/** `{ "ids": [...] }` */
export function idsIn(body: unknown): readonly string[] {
  const { ids } = (typeof body === 'object' && body !== null ? body : {}) as { readonly ids?: unknown }
  if (!Array.isArray(ids) || ids.length > MAX_IDS || ids.some(id => typeof id !== 'string'))
    throw new BadRequest(400, `"ids" must be a list of at most ${MAX_IDS} texts.`)
  return ids
}
