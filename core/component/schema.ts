/**
 * A component's configuration as JSON Schema (draft 2020-12 subset), with these additions:
 *
 * - `format`: `duration` (`5m`, `1h30m`, `500ms`), `byte-size` (`64MiB`, `1MB`, or a number of bytes), `http-url`, `regex` (RE2),
 *   `template` (Handlebars, or what `engine` beside it says), `jinja`, `condition` (OTTL), `path` (OTTL path), `color` (`#rrggbb`), `time-zone` (IANA), `endpoint` (`host:port`).
 * - `secret: true`: the value never appears in a log, an error or print-config; `secret: 'path'`: the path of the URL does not.
 * - `synonyms: { wrong: 'right' }` beside `properties`: what users of other tools write, for hints.
 * - `aliases: { alias: 'key' }` beside `properties`: accepted as that key, silently.
 * - `ignored: { key: 'what happens instead' }` beside `properties`: keys of other tools that have no effect here; a warning
 *   says so, and what stands under them is not looked at.
 * - `component: 'extension'`: the id of a component of that kind, which must be defined.
 *
 * `description` and `default` feed the documentation and editor hints; `examples` the error texts.
 */
export interface ConfigSchema {
  readonly type?: SchemaType | readonly SchemaType[]
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: { readonly [key: string]: ConfigSchema }
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ConfigSchema
  readonly items?: ConfigSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly minLength?: number
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly format?: SchemaFormat
  readonly anyOf?: readonly ConfigSchema[]
  readonly secret?: boolean | 'path'
  readonly synonyms?: { readonly [name: string]: string }
  readonly aliases?: { readonly [name: string]: string }
  readonly ignored?: { readonly [name: string]: string }
  readonly component?: 'extension'
}

/** The types of JSON Schema. */
export type SchemaType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null'

/** What a text means; each is checked, with a message of its own. */
export type SchemaFormat =
  | 'duration'
  | 'byte-size'
  | 'http-url'
  | 'regex'
  | 'template'
  | 'jinja'
  | 'condition'
  | 'path'
  | 'color'
  | 'time-zone'
  | 'endpoint'
