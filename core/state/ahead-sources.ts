import type { Logger } from '../component/context.js'
import { type LogRecord, nsToMs, toText } from '../model/index.js'
import type { AheadRecord } from './event-times.js'

/** Enough to find the machine; more would fill the log when every source is ahead, which is our own clock. */
const MAX_SOURCES = 50

const NAMES = ['host.name', 'service.name', 'log.file.path', 'log.file.name', '_stream'] as const

/** Says which sources have a clock that is ahead: each once in the life of the process. */
export class AheadSources {
  readonly #said = new Set<string>()

  say(ahead: readonly AheadRecord[], logger: Logger): void {
    if (this.#said.size >= MAX_SOURCES) return
    for (const { record, aheadNs } of ahead) {
      const source = sourceOf(record)
      if (this.#said.has(source) || this.#said.size >= MAX_SOURCES) continue
      this.#said.add(source)
      logger.warn(
        'A source dates its records ahead of the clock of this collector: they count as of their arrival. Said once for a source.',
        { source: source || 'unknown', ahead_s: Math.round(nsToMs(aheadNs) / 1_000) },
      )
    }
  }
}

/** `host.name=web-1 log.file.name=app.log`: what a record knows of where it comes from. */
function sourceOf({ resource, attributes }: LogRecord): string {
  return NAMES.flatMap(name => {
    const text = toText(resource.attributes[name] ?? attributes[name])
    return text === '' ? [] : [`${name}=${text.slice(0, 200)}`]
  }).join(' ')
}
