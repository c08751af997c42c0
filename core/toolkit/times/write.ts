import { type Dialect, directiveOf, piecesOf } from './directives.js'
import { type Moment, momentOf } from './moment.js'

/**
 * A writer of times (ns since the epoch) by a layout, with the clocks of an IANA time zone. `unknownLetter` tells
 * beforehand what a layout has that no writer knows; here it is written as it stands.
 */
export function compileTimeWriter(
  layout: string,
  dialect: Dialect,
): (at: bigint, timeZone: string) => string {
  const writers = piecesOf(layout, dialect).map((piece): ((moment: Moment) => string) => {
    if (typeof piece === 'string') return () => piece
    const directive = directiveOf(piece.letter, dialect)
    if (!directive) return () => `%${piece.flag}${piece.letter}`
    const { write, width = 1, spaced } = directive
    const fill = piece.flag === '_' || (spaced && piece.flag === '') ? ' ' : '0'
    return moment => {
      const found = write(moment)
      if (typeof found === 'string') return found
      return piece.flag === '-' ? String(found) : String(found).padStart(width, fill)
    }
  })
  return (at, timeZone) => {
    const moment = momentOf(at, timeZone)
    return writers.map(write => write(moment)).join('')
  }
}
