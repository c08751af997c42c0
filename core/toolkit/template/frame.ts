import { failed } from './error.js'
import type { JsonText } from './json-text.js'
import { descend, type Value } from './value.js'
import type { TemplateView } from './view.js'

/** Bounds what one rendering may cost, however large the values of a record are. */
const MAX_LENGTH = 4 * 1024 * 1024

/** What the text of a template is: `code` and `escape` write for it. */
export type Target = 'html' | 'markdown'

/** One rendering. */
export class Run {
  readonly maxLength = MAX_LENGTH
  readonly timeZone: string
  #left = MAX_LENGTH

  constructor(
    readonly view: TemplateView,
    readonly target: Target,
    /** The text is to be JSON. */
    readonly json?: JsonText,
  ) {
    this.timeZone = view.timeZone
  }

  /** Counts characters, and turns of a loop. */
  spend(amount: number): void {
    this.#left -= amount
    if (this.#left < 0) throw failed(`the text, or a loop in the template, is longer than ${MAX_LENGTH}`)
  }
}

export interface Turn {
  readonly key: string | number
  readonly index: number
  readonly first: boolean
  readonly last: boolean
}

/** What names mean at a place of the template: the view at the top, in a block the value that it is about. */
export class Frame {
  constructor(
    readonly run: Run,
    readonly outer?: Frame,
    readonly value?: Value,
    readonly turn?: Turn,
    /** Of `as |item key|`. */
    readonly named?: ReadonlyMap<string, Value>,
  ) {}

  lookup(names: readonly string[]): Value {
    if (this.outer) return descend(this.value, names)
    return names.length === 0 ? this.run.view.all() : this.run.view.lookup(names)
  }

  /** The value of a name of `as |name|`, in the innermost block that has it. */
  local(name: string): Value {
    for (let frame: Frame | undefined = this; frame; frame = frame.outer) {
      if (frame.named?.has(name)) return frame.named.get(name)
    }
    return undefined
  }

  root(): Frame {
    let frame: Frame = this
    while (frame.outer) frame = frame.outer
    return frame
  }

  /** The turn of the loop around this place; `up` loops further out. */
  loop(up: number): Turn | undefined {
    let skip = up
    for (let frame: Frame | undefined = this; frame; frame = frame.outer) {
      if (frame.turn && skip-- === 0) return frame.turn
    }
    return undefined
  }
}
