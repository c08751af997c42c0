import type {
  DecisionRule,
  Finding,
  KeyAbout,
  Keyed,
  KeyedEvent,
  LogRecord,
  Processor,
  Records,
  Step,
  Touch,
} from '../component/index.js'

/** What a keyed processor decided about a record or a timer of a key. */
export interface Decision {
  readonly pipeline: string
  readonly processor: string
  readonly key: string
  readonly about: KeyAbout
  readonly event: Pick<KeyedEvent<unknown>, 'kind' | 'time'>
  /** The state of the key until then. */
  readonly before: unknown
  readonly step: Step<unknown, unknown>
}

export interface WatchedRules {
  readonly pipeline: string
  readonly processor: string
  readonly rules: readonly DecisionRule[]
}

type AnyKeyed = Keyed<unknown, unknown, unknown>

/** Beyond this many keys of a processor the oldest are named by their key alone. */
const MAX_KNOWN_KEYS = 200_000

/** Tells of every decision of keyed processors. */
export class DecisionWatch {
  readonly #watched: { readonly pipeline: string; readonly processor: string; readonly keyed: AnyKeyed }[] =
    []

  readonly #processors = new Map<string, Processor>()

  /** Unless `keepsStorage`, state lies in memory, where a step is never taken twice. */
  constructor(
    private readonly tell: (decision: Decision) => void,
    private readonly keepsStorage = false,
  ) {}

  /** The processor itself; one with keys tells from now on. */
  watch(processor: object, pipeline: string, id: string): object {
    this.#processors.set(JSON.stringify([pipeline, id]), processor as Processor)
    if (!('step' in processor)) return processor
    const keyed = processor as AnyKeyed
    const known = new Map<string, KeyAbout>()
    const select = keyed.select.bind(keyed)
    const step = keyed.step.bind(keyed)
    const { tell } = this
    const note = (records: Records, touches: readonly (readonly Touch<unknown>[])[]) => {
      for (const [at, touched] of touches.entries()) {
        for (const { key } of touched) {
          if (known.has(key)) continue
          known.set(key, keyed.about?.(key, records[at] as Records[number]) ?? { rule: id, values: key })
          if (known.size > MAX_KNOWN_KEYS) known.delete(known.keys().next().value as string)
        }
      }
      return touches
    }
    replace(keyed, {
      // No journal: nothing comes twice.
      storage: this.keepsStorage ? keyed.storage : undefined,
      select: records => {
        const touches = select(records)
        return 'then' in touches ? touches.then(found => note(records, found)) : note(records, touches)
      },
      step: (state, event) => {
        const decided = step(state, event)
        const about = known.get(event.key) ?? { rule: id, values: event.key }
        tell({ pipeline, processor: id, key: event.key, about, event, before: state, step: decided })
        return decided
      },
    })
    this.#watched.push({ pipeline, processor: id, keyed })
    return keyed
  }

  /** What it finds in a record; undefined when it does not say. */
  explain(pipeline: string, id: string, record: LogRecord): readonly Finding[] | undefined {
    return this.#processors.get(JSON.stringify([pipeline, id]))?.explain?.(record)
  }

  rules(): readonly WatchedRules[] {
    return this.#watched.flatMap(({ pipeline, processor, keyed }) => {
      const rules = keyed.rules?.()
      return rules ? [{ pipeline, processor, rules }] : []
    })
  }
}

/** The object stays the one that its maker knows. */
function replace(keyed: AnyKeyed, members: Partial<AnyKeyed>): void {
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(keyed, name, { value, configurable: true, enumerable: true, writable: true })
}
