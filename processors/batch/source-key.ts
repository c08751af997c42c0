import {
  type AnyValue,
  type Attributes,
  isBytes,
  type LogRecord,
  type Resource,
  type Scope,
} from 'tocsin/component'

/** Equal for records whose Resource and Scope are equal, whichever objects hold them. */
export function sourceKey({ resource, scope }: LogRecord): string {
  let scopes = known.get(resource)
  if (!scopes) {
    scopes = new WeakMap()
    known.set(resource, scopes)
  }
  let key = scopes.get(scope)
  if (key === undefined) {
    const { name, version, droppedAttributesCount, schemaUrl } = scope
    key = JSON.stringify([
      textOf(resource.attributes),
      resource.droppedAttributesCount,
      resource.schemaUrl,
      name,
      version,
      textOf(scope.attributes),
      droppedAttributesCount,
      schemaUrl,
    ])
    scopes.set(scope, key)
  }
  return key
}

// Records of a batch share these objects, so that the text is made once a batch.
const known = new WeakMap<Resource, WeakMap<Scope, string>>()

/** A text that tells apart what JSON does not: integers, doubles, bytes and texts. */
function textOf(value: AnyValue): string {
  if (typeof value === 'bigint') return `i${value}`
  if (typeof value === 'number') return `d${Object.is(value, -0) ? '-0' : value}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isBytes(value)) return `b${Buffer.from(value).toString('base64')}`
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  const map = value as Attributes
  const entries = Object.keys(map)
    .sort()
    .map(key => `${JSON.stringify(key)}:${textOf(map[key] as AnyValue)}`)
  return `{${entries.join()}}`
}
