import {
  type Attributes,
  formatInZone,
  formatRfc3339,
  isMap,
  type LogRecord,
  newMap,
} from '../../model/index.js'
import { descend, type Value } from './value.js'

/** What a template sees. Nothing is built before a template asks for it. */
export interface TemplateView {
  /** The IANA zone of times that are formatted for people. */
  readonly timeZone: string
  /** The value under a path of names, from the top. */
  lookup(names: readonly string[]): Value
  /** The same for one name of a Jinja template: attributes win over built-in names, keys with dots are below their first part. */
  named(name: string): Value
  /** Everything, for `{{json this}}`. */
  all(): Attributes
}

/** What a template sees besides the record. `timeZone`: IANA. */
export interface TemplateViewOptions {
  readonly pipeline: string
  readonly timeZone: string
  /**
   * For Jinja templates of exporters: the notification's `title`, `body`, `body_html`, `accent_color`, `severity` and
   * `event_id` are at the top and win, and the record is also whole under `log`.
   */
  readonly notification?: boolean
  /** `notification` in place of the record's, which `attributes` and the whole show too; made when a template asks for it. */
  readonly told?: () => Attributes
}

/**
 * A record as templates see it: its attributes at the top level, dotted keys flat and nested, under these names,
 * which win: `attributes`, `body`, `resource` (its attributes), `scope`, `severity_text`, `severity_number`,
 * `trace_id`, `span_id`, `pipeline`, `log_timestamp`, `log_timestamp_formatted`. `_msg` and `_time`, VictoriaLogs'
 * names, stand for body and time where no attribute has these names. Where the record has nothing of a name, that of
 * its resource is seen: `{{host.name}}` is the host wherever a source puts it.
 */
export function templateView(record: LogRecord, options: TemplateViewOptions): TemplateView {
  return new RecordView(record, options)
}

class RecordView implements TemplateView {
  readonly pipeline: string
  readonly timeZone: string
  readonly #options: TemplateViewOptions
  #told: Attributes | undefined
  #whole: LogRecord | undefined

  constructor(
    readonly record: LogRecord,
    options: TemplateViewOptions,
  ) {
    this.pipeline = options.pipeline
    this.timeZone = options.timeZone
    this.#options = options
  }

  get told(): Attributes | undefined {
    this.#told ??= this.#options.told?.()
    return this.#told
  }

  /** The record with what is told of it. */
  get whole(): LogRecord {
    this.#whole ??= this.told ? this.record.with('attributes["notification"]', this.told) : this.record
    return this.#whole
  }

  named(name: string): Value {
    const { attributes } = this.whole
    if (this.#options.notification) {
      if (name === 'log') return this.#log()
      const told = attributes.notification
      if (isMap(told) && Object.hasOwn(told, name)) return told[name]
    }
    const below = newMap(Object.entries(attributes).filter(([key]) => key.startsWith(`${name}.`)))
    if (Object.keys(below).length > 0) {
      const value = attributes[name]
      const ends = Object.entries(below).map(([key, inner]) => [key.slice(name.length + 1), inner] as const)
      if (value === undefined || isMap(value)) return newMap([...ends, ...Object.entries(value ?? {})])
    }
    return (
      attributes[name] ??
      (BUILT_IN.get(name) ?? ALIASES.get(name))?.(this) ??
      descend(this.record.resource.attributes, [name])
    )
  }

  /** The record as one map, without what is said about it. */
  #log(): Attributes {
    const log = newMap(Object.entries(this.record.attributes))
    delete log.notification
    for (const [name, read] of ALIASES) log[name] ??= read(this) ?? null
    return log
  }

  lookup(names: readonly string[]): Value {
    const name = names[0] as string
    const builtIn = BUILT_IN.get(name)
    if (name === 'resource') return lookupResource(this.record.resource.attributes, names)
    if (builtIn) return names.length === 1 ? builtIn(this) : descend(builtIn(this), names, 1)
    const told = name === 'notification' ? descend(this.told, names, 1) : undefined
    if (told !== undefined) return told
    const { attributes } = name === 'notification' ? this.whole : this.record
    return (
      descend(attributes, names) ??
      descend(ALIASES.get(name)?.(this), names, 1) ??
      descend(this.record.resource.attributes, names)
    )
  }

  all(): Attributes {
    const all = newMap(Object.entries(this.whole.attributes))
    for (const [name, read] of BUILT_IN) all[name] = read(this) ?? null
    return all
  }
}

const BUILT_IN: ReadonlyMap<string, (view: RecordView) => Value> = new Map<
  string,
  (view: RecordView) => Value
>([
  ['attributes', view => view.whole.attributes],
  ['body', view => view.record.body],
  ['resource', view => view.record.resource.attributes],
  ['scope', view => scopeOf(view.record)],
  ['severity_text', view => view.record.severityText],
  ['severity_number', view => view.record.severityNumber],
  ['trace_id', view => view.record.traceId],
  ['span_id', view => view.record.spanId],
  ['pipeline', view => view.pipeline],
  ['log_timestamp', timestamp],
  [
    'log_timestamp_formatted',
    view => (view.record.time === 0n ? undefined : formatInZone(view.record.time, view.timeZone)),
  ],
])

const ALIASES: ReadonlyMap<string, (view: RecordView) => Value> = new Map<
  string,
  (view: RecordView) => Value
>([
  ['_msg', view => view.record.body],
  ['_time', timestamp],
])

function timestamp(view: RecordView): Value {
  return view.record.time === 0n ? undefined : formatRfc3339(view.record.time)
}

/** `resource.host.name` and, as OTTL writes it, `resource.attributes.host.name`. */
function lookupResource(attributes: Attributes, names: readonly string[]): Value {
  const found = descend(attributes, names, 1)
  return found === undefined && names[1] === 'attributes' ? descend(attributes, names, 2) : found
}

function scopeOf({ scope }: LogRecord): Value {
  return newMap([
    ['name', scope.name],
    ['version', scope.version],
    ['attributes', scope.attributes],
  ])
}
