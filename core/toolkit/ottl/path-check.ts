import { FIELD_NAMES, findField, PathError } from '../../model/fields.js'
import { compilePath } from '../../model/path.js'
import { explained, Fault, type OttlProblem, problemOf } from './errors.js'
import { nearest } from './nearest.js'

/** Why the text is no path for `compilePath`; undefined when it is one. */
export function checkPath(text: string): OttlProblem | undefined {
  return problemOf(() =>
    explained(text, () => {
      try {
        compilePath(text)
      } catch (error) {
        if (!(error instanceof PathError)) throw error
        throw new Fault('this is no path', error.offset ?? 0, pathFix(text))
      }
    }),
  )
}

function pathFix(text: string): string {
  const names = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/.exec(text)?.[0] ?? ''
  const near = findField(names.split('.')) ? undefined : nearest(names, FIELD_NAMES)
  if (near) return `did you mean ${near}?`
  return 'a path is a field such as body or severity_text, or a key such as attributes["host.name"]'
}
