import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { lookAlikeIn } from 'tocsin/pattern'
import { namesYear } from '#times'
import { lastSegment, splitField } from './json-fields.js'
import { layoutProblem, NAMED_FORMATS } from './layout.js'

export interface ParserConfig {
  readonly regex?: string
  readonly json?: { readonly fields?: readonly string[] }
  readonly parse_from: string
  readonly on_no_match: 'drop' | 'pass'
  readonly timestamp?: TimestampConfig
}

export interface TimestampConfig {
  readonly from: string
  readonly format: string
  /** Default UTC. */
  readonly time_zone?: string
  readonly year?: number
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    regex: {
      type: 'string',
      format: 'regex',
      description:
        'RE2 regular expression. Its named groups become attributes; without groups it only selects.',
      examples: ['Failed password for (?P<user>\\S+)'],
    },
    json: {
      type: 'object',
      additionalProperties: false,
      description: 'Reads JSON. The fields become attributes.',
      properties: {
        fields: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          minItems: 1,
          uniqueItems: true,
          description:
            'Dotted paths; the attribute has the name of the last segment. Without them all fields of the top level.',
          examples: [['status', 'request.path']],
        },
      },
    },
    parse_from: {
      type: 'string',
      format: 'path',
      default: 'body',
      description: 'Where the text is: an OTTL path.',
      examples: ['attributes["message"]'],
    },
    on_no_match: {
      enum: ['drop', 'pass'],
      default: 'drop',
      description: 'What becomes of a record that regex or json does not fit.',
    },
    timestamp: {
      type: 'object',
      additionalProperties: false,
      required: ['from', 'format'],
      description: 'Takes the event time from a field.',
      properties: {
        from: {
          type: 'string',
          minLength: 1,
          description: 'Name of an attribute, such as a group of the regex, or an OTTL path.',
          examples: ['time'],
        },
        format: {
          type: 'string',
          minLength: 1,
          description: `${NAMED_FORMATS.join(', ')}, or a strptime layout.`,
          examples: ['%b %d %H:%M:%S'],
        },
        time_zone: {
          type: 'string',
          format: 'time-zone',
          description:
            'IANA time zone of times that carry none; default UTC. With rfc3339 it lets the offset be left out.',
        },
        year: {
          type: 'integer',
          minimum: 1970,
          maximum: 2200,
          description: 'Year of times without one. Otherwise the latest that is not in the future.',
        },
      },
      synonyms: {
        layout: 'format',
        timezone: 'time_zone',
        location: 'time_zone',
        parse_from: 'from',
        field: 'from',
      },
    },
  },
  synonyms: {
    pattern: 'regex',
    expression: 'regex',
    field: 'parse_from',
    from: 'parse_from',
    on_error: 'on_no_match',
    on_mismatch: 'on_no_match',
    time: 'timestamp',
  },
}

export function check(config: ParserConfig): readonly CheckProblem[] {
  const problems: CheckProblem[] = []
  if (!config.regex && !config.json && !config.timestamp) {
    problems.push({
      path: [],
      message: 'there is nothing to parse',
      fix: "give regex, json or timestamp, such as regex: 'error: (?P<reason>.*)'",
    })
  }
  const lookAlike = config.regex === undefined ? undefined : lookAlikeIn(config.regex)
  if (lookAlike) problems.push({ severity: 'warning', path: ['regex'], ...lookAlike })
  const seen = new Map<string, string>()
  for (const [index, field] of (config.json?.fields ?? []).entries()) {
    const path = ['json', 'fields', index]
    const name = lastSegment(field)
    const other = seen.get(name)
    if (splitField(field).includes('')) {
      problems.push({
        path,
        message: `"${field}" has an empty segment`,
        fix: 'write a path such as request.path',
      })
    } else if (other !== undefined) {
      problems.push({
        path,
        message: `"${field}" and "${other}" would both become the attribute "${name}"`,
        fix: 'take one of them here and the other with a second parser',
      })
    }
    seen.set(name, field)
  }
  return [...problems, ...(config.timestamp ? checkTimestamp(config.timestamp) : [])]
}

function checkTimestamp({ format, year }: TimestampConfig): readonly CheckProblem[] {
  const problem = layoutProblem(format)
  if (problem) return [{ path: ['timestamp', 'format'], ...problem }]
  return year !== undefined && (isNamed(format) || namesYear(format, 'strftime'))
    ? [
        {
          path: ['timestamp', 'year'],
          severity: 'warning',
          message: 'the format has a year of its own',
          fix: 'remove year',
        },
      ]
    : []
}

/** The names of what it finds; undefined where JSON gives all of its fields. */
export function madeBy({ regex = '', json }: ParserConfig): readonly string[] | undefined {
  if (json && !json.fields) return undefined
  const groups = [...regex.matchAll(/\(\?P?<(\w+)>/g)].map(([, name]) => name as string)
  return [...groups, ...(json?.fields ?? []).map(lastSegment)]
}

function isNamed(format: string): boolean {
  return (NAMED_FORMATS as readonly string[]).includes(format)
}
