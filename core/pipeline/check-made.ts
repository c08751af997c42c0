import type { Kind } from '../component/index.js'

/** Throws what an author needs to know when `create()` answered no component of the kind. */
export function checkMade(kind: Kind, made: unknown): void {
  if (typeof made !== 'object' || made === null) {
    const answer = made === undefined ? 'nothing' : `${made}`
    throw new TypeError(`create() answered ${answer}; it must return the ${kind}`)
  }
  if (made instanceof Promise) {
    throw new TypeError(`create() answered a promise; what takes time belongs into start()`)
  }
  const marks = MARKS[kind]
  if (marks.length > 0 && !marks.some(mark => mark in made)) {
    throw new TypeError(`create() answered an object without ${marks.join(', ')}`)
  }
  const missing = (kind === 'receiver' ? RECEIVER : 'step' in made ? KEYED : []).filter(
    name => !(name in made),
  )
  if (missing.length > 0) throw new TypeError(`create() answered a ${kind} without ${missing.join(', ')}`)
}

/** What it cannot do without, besides. */
const RECEIVER = ['stop', 'watermark']
const KEYED = ['maxKeys', 'state', 'outcome', 'select', 'join']

/** One of these methods or fields makes the kind. */
const MARKS: { readonly [kind in Kind]: readonly string[] } = {
  receiver: ['start'],
  processor: ['process', 'step', 'operator'],
  connector: ['process', 'step', 'operator'],
  exporter: ['send'],
  extension: [],
}
