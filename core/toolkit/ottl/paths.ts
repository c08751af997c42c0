import { type AnyValue, type Attributes, isMap } from '../../model/any-value.js'
import { FIELD_NAMES, type Field, findField, PathError } from '../../model/fields.js'
import type { LogFields } from '../../model/log-record.js'
import { writeAt } from '../../model/steps.js'
import type { NodeOf, Segment } from './ast.js'
import type { Draft, View } from './draft.js'
import { Fault, OttlEvalError } from './errors.js'
import type { Expression, Target } from './expression.js'
import { descend, type Keys } from './keys.js'
import { nearest } from './nearest.js'
import { Id, type StaticType, storable, Time, type Value } from './values.js'

/** What a statement runs over: every record, or every distinct resource or scope of a batch. */
export type Context = 'log' | 'resource' | 'scope'

export interface PathRules {
  readonly context: Context
  /** Only statements have a cache. */
  readonly cache: boolean
}

/** Compiles a path whose keys are compiled already. Throws `Fault` for a field that does not exist here. */
export function compilePathNode(node: NodeOf<'path'>, keys: Keys, rules: PathRules): Expression {
  const place = locate(node, rules)
  const name = placeName(place, keys)
  const whole = keys.all.length === 0
  const target: Target = {
    name,
    get: draft => (whole ? place.get(draft) : descend(name, place.get(draft), keys.steps(draft))),
    set: (draft, value) => write(draft, whole ? place.unwrap(value) : storable(value)),
    put: (draft, value) => {
      write(draft, value)
      if (typeof value === 'object' && value !== null) draft.own.add(value)
    },
  }
  const write = (draft: Draft, value: AnyValue): void => {
    try {
      place.set(
        draft,
        whole ? value : writeAt(name, place.stored(draft), keys.steps(draft), value, draft.own),
      )
    } catch (error) {
      throw error instanceof PathError ? new OttlEvalError(error.message) : error
    }
  }
  return {
    type: whole ? place.type : 'any',
    at: node.at,
    end: node.end,
    get: getter(name, place, keys),
    target,
    ...(place.name === 'body' && whole && { bytes: bodyBytes }),
  }
}

function getter(name: string, place: Place, keys: Keys): Expression['get'] {
  if (keys.all.length === 0) return place.get
  const { constant } = keys
  if (!constant) return view => descend(name, place.get(view), keys.steps(view))
  const [first] = constant
  if (place.name !== 'attributes' || typeof first !== 'string') {
    return view => descend(name, place.get(view), constant)
  }
  // Most records lack it, and many know that without decoding anything.
  return view => (view.lacksAttribute?.(first) ? undefined : descend(name, place.get(view), constant))
}

function bodyBytes(view: View): Uint8Array | undefined {
  const bytes = view.bodyBytes()
  return bytes.length === 0 && view.body === null ? undefined : bytes
}

interface Place {
  readonly name: string
  readonly type: StaticType
  /** What expressions see. */
  get(view: View): Value
  /** What the record holds. */
  stored(draft: Draft): AnyValue
  unwrap(value: Value): AnyValue
  set(draft: Draft, value: AnyValue): void
}

const CACHE: Place = {
  name: 'cache',
  type: 'map',
  get: view => (view as Draft).cache,
  stored: draft => draft.cache,
  unwrap: storable,
  set: (draft, value) => {
    if (!isMap(value)) throw new PathError('cache takes a map')
    draft.cache = value as Attributes
  },
}

/** The field that the path's names lead to; its keys stand behind the last name. */
function locate({ segments }: NodeOf<'path'>, rules: PathRules): Place {
  const names = segments.map(segment => segment.name)
  const prefix = names[0] as string
  const last = segments[segments.length - 1] as Segment
  const isCache = names.length === 1 || (names.length === 2 && (prefix === 'log' || isOwner(prefix)))
  if (isCache && last.name === 'cache') {
    if (rules.cache) return CACHE
    throw new Fault('cache exists only in statements', segments[0]!.at)
  }
  const full =
    rules.context !== 'log' && prefix !== 'log' && !isOwner(prefix) ? [rules.context, ...names] : names
  const found = findField(full) ?? findField(names)
  if (!found) throw unknownPath(segments, names.join('.'), rules)
  checkContext(found.field, segments, rules)
  const taken = found.taken - (full.length - names.length)
  const keyed = segments.findIndex(segment => segment.keys.length > 0)
  if (taken < segments.length || (keyed >= 0 && keyed < segments.length - 1)) {
    throw noSuchField(found.field, segments, Math.min(taken, keyed < 0 ? taken : keyed + 1))
  }
  const indexable = found.field.type === 'map' || found.field.type === 'any'
  if (keyed >= 0 && !indexable) throw new Fault(`${found.field.name} has no keys`, last.keys[0]!.at - 1)
  return placeOf(found.field)
}

function isOwner(name: string): boolean {
  return name === 'resource' || name === 'scope' || name === 'instrumentation_scope'
}

function checkContext(field: Field, segments: readonly Segment[], { context }: PathRules): void {
  if (context === 'log' || field.name.startsWith('resource.')) return
  if (context === 'scope' && field.name.startsWith('scope.')) return
  throw new Fault(
    `${field.name} belongs to a record; it is not there in context ${context}`,
    segments[0]!.at,
    'put the statement into a group with context: log',
  )
}

function noSuchField(field: Field, segments: readonly Segment[], taken: number): Fault {
  const segment = segments[Math.min(taken, segments.length - 1)] as Segment
  const indexable = field.type === 'map' || field.type === 'any'
  const tail = segments.slice(taken).map(each => each.name)
  const fix = `write ${field.name}["${tail.join('.')}"]${tail.length > 1 ? `, or ${field.name}["${tail.join('"]["')}"]` : ''}`
  return new Fault(`${field.name} has no field ${segment.name}`, segment.at, indexable ? fix : undefined)
}

// What other tools call the fields.
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['message', 'body'],
  ['msg', 'body'],
  ['_msg', 'body'],
  ['level', 'severity_text'],
  ['severity', 'severity_text'],
  ['timestamp', 'time'],
  ['_time', 'time'],
  ['labels', 'attributes'],
  ['fields', 'attributes'],
])

function unknownPath(segments: readonly Segment[], name: string, { context }: PathRules): Fault {
  const names = FIELD_NAMES.filter(each => context === 'log' || each.startsWith(`${context}.`))
  const at = segments[0]!.at
  if (isOwner(name)) {
    return new Fault(`${name} is no value of its own`, at, `write ${name}.attributes["..."]`)
  }
  if (/^(?:span|spanevent|metric|datapoint|profile)$/.test(segments[0]!.name)) {
    return new Fault(
      `there is no field ${name}`,
      at,
      'there are only log records: log., resource. and scope.',
    )
  }
  if (segments[0]!.name === 'otelcol') {
    return new Fault(`there is no field ${name}`, at, 'records do not carry what request they came with')
  }
  if (/^(?:null|none|undefined)$/.test(name)) return new Fault(`there is no field ${name}`, at, 'write nil')
  const near = SYNONYMS.get(name) ?? nearest(name, names)
  const fix = near
    ? `did you mean ${near}?`
    : `fields are ${names.join(', ')}; an attribute is written attributes["${name}"]`
  return new Fault(`there is no field ${name}`, at, fix)
}

function placeName(place: Place, keys: Keys): string {
  const shown =
    keys.constant?.map(step => `[${JSON.stringify(step)}]`) ?? (keys.all.length > 0 ? ['[...]'] : [])
  return place.name + shown.join('')
}

function placeOf(field: Field): Place {
  return {
    name: field.name,
    type: TYPES[field.type],
    get: readerOf(field),
    stored: draft => field.get(draft),
    unwrap: field.type === 'time' ? value => timeOf(field.name, value) : storable,
    set: (draft, value) => draft.change(field.set(draft, value)),
  }
}

const TYPES: { readonly [type in Field['type']]: StaticType } = {
  any: 'any',
  map: 'map',
  text: 'string',
  int: 'int',
  nanos: 'int',
  time: 'time',
  id: 'bytes',
  id_text: 'string',
}

function readerOf(field: Field): (view: LogFields) => Value {
  const digits = field.name.startsWith('trace_id') ? 32 : 16
  switch (field.type) {
    case 'time':
      return view => new Time(field.get(view) as bigint)
    // As in the Collector an id that is not set is all zeros.
    case 'id':
      return view => new Id(Buffer.from((field.get(view) as string).padStart(digits, '0'), 'hex'))
    case 'id_text':
      return view => (field.get(view) as string).padStart(digits, '0')
    default:
      return view => field.get(view)
  }
}

function timeOf(name: string, value: Value): bigint {
  if (value instanceof Time) return value.ns
  throw new OttlEvalError(`${name} takes a time; for a number of nanoseconds set ${name}_unix_nano`)
}
