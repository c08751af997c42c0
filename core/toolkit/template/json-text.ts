import { TemplateError } from './error.js'
import type { Value } from './value.js'
import type { TemplateView } from './view.js'

/** Follows a JSON text as a template writes it, so that a value in a JSON string is escaped for it. */
export class JsonText {
  #inString = false
  #escaped = false
  /** Offset in the template of the first expression whose text breaks the JSON; looked for where `checks`. */
  culprit: number | undefined

  constructor(readonly checks = false) {}

  literal(text: string): void {
    // Most texts have neither, and only what stands right behind a backslash is escaped.
    if (!this.#escaped && !/["\\]/.test(text)) return
    for (const character of text) {
      if (this.#escaped) this.#escaped = false
      else if (character === '"') this.#inString = !this.#inString
      else if (character === '\\') this.#escaped = this.#inString
    }
  }

  /** The text of an expression as it goes out; `raw`: of `{{{ }}}`. */
  value(text: string, raw: boolean, offset?: number): string {
    // Half an escape sequence in front of it would change what comes.
    const shown = this.#inString && !raw && !this.#escaped ? JSON.stringify(text).slice(1, -1) : text
    if (this.checks && !isJson(this.#inString ? `"${shown}"` : shown)) this.culprit ??= offset
    this.literal(shown)
    return shown
  }
}

/** Whether a text is JSON, as RFC 8259 has it. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const HOSTILE = 'he said "no" to C:\\new\n\tend\u0000'
const TIME = '2026-01-15T10:00:00Z'

/** Records as they come: every value hostile, a list of such, or missing. */
export const HOSTILE_VIEWS: readonly TemplateView[] = [HOSTILE, [HOSTILE], undefined].map(value => ({
  timeZone: 'UTC',
  lookup: names => known(names) ?? value,
  named: name => known([name]) ?? value,
  all: () => ({ body: HOSTILE }),
}))

/** What always is a number or a time: it breaks nothing, and helpers want it so. */
function known(names: readonly string[]): Value {
  const name = names.at(-1) as string
  if (name === 'severity_number') return 17
  return name.includes('time') || name === 'first_occurrence' ? TIME : undefined
}

/** The first culprit of a rendering with hostile values, or what JSON.parse says of the text; undefined when it is JSON. */
export function breakOf(
  render: (view: TemplateView, json: JsonText) => string,
  views: readonly TemplateView[],
): { readonly offset?: number; readonly reason: string } | undefined {
  for (const view of views) {
    const json = new JsonText(true)
    try {
      JSON.parse(render(view, json))
    } catch (error) {
      // A helper that cannot work with the sample says nothing of real records.
      if (error instanceof TemplateError) continue
      return { ...(json.culprit !== undefined && { offset: json.culprit }), reason: (error as Error).message }
    }
  }
  return undefined
}
