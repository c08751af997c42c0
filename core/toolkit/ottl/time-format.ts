import { formatRfc3339 } from '../../model/time.js'
import { isTimeZone } from '../../model/zone.js'
import {
  compileTimeReader,
  compileTimeWriter,
  momentIn,
  type Names,
  namesOf,
  namesYear,
  unknownLetter,
} from '../times/index.js'
import { OttlEvalError } from './errors.js'
import { type Time, timeAt } from './values.js'

/** A layout whose letters are checked. What it reads depends on the language, which another argument gives. */
export interface Layout {
  readonly text: string
  /** Reads a text; the zone is that of a text that does not say it. Throws `OttlEvalError` for a text of another form. */
  read(text: string, timeZone: string, names: Names | undefined, now: bigint): Time
}

/** Throws `OttlEvalError` for a layout that is none. */
export function compileTimeLayout(text: string): Layout {
  checkLayout(text, 'read')
  const readers = new Map<Names | undefined, ReturnType<typeof compileTimeReader>>()
  const hasYear = namesYear(text, 'ottl')
  return {
    text,
    read(given, timeZone, names, now) {
      let read = readers.get(names)
      if (!read) {
        read = compileTimeReader(text, 'ottl', names)
        readers.set(names, read)
      }
      const local = read(given)
      if (!local) throw new OttlEvalError('the text does not have the form of the layout')
      const thisYear = Number(formatRfc3339(now).slice(0, 4))
      const year = local.year ?? thisYear
      let moment = momentIn(local, year, timeZone)
      // As the Collector: a date without a year is of this year, or of the last where that is a week ahead.
      if (!hasYear && (moment === undefined || moment > now + WEEK_NS)) {
        moment = momentIn(local, year - 1, timeZone)
      }
      if (moment === undefined) throw new OttlEvalError('there is no such day, or no such time zone')
      return timeAt(moment)
    },
  }
}

const WEEK_NS = 7n * 86_400n * 1_000_000_000n

/** Writes times in a layout, to the nanosecond, in UTC. Throws `OttlEvalError` for a layout that is none. */
export function compileTimeFormat(layout: string): (time: Time) => string {
  checkLayout(layout, 'write')
  const write = compileTimeWriter(layout, 'ottl')
  return ({ ns }) => write(ns, 'UTC')
}

function checkLayout(layout: string, use: 'read' | 'write'): void {
  if (!layout.includes('%')) {
    throw new OttlEvalError(`the layout has no % in it: write it like "%Y-%m-%d %H:%M:%S"`)
  }
  const unknown = unknownLetter(layout, 'ottl', use)
  if (unknown !== undefined) throw new OttlEvalError(`the layout has an unknown %${unknown}`)
}

export function checkTimeZone(name: string): string {
  if (name !== '' && !isTimeZone(name))
    throw new OttlEvalError(`there is no time zone ${JSON.stringify(name)}`)
  return name === '' ? 'UTC' : name
}

export function checkLocale(tag: string): Names {
  const names = namesOf(tag)
  if (!names)
    throw new OttlEvalError(`there is no language ${JSON.stringify(tag)}: tags are like "en" and "pt-BR"`)
  return names
}
