import RE2 from 're2'
import { compile, type Pattern } from './pattern.js'

const MOST = 20

/** Where a pattern is found in a text, for people: UTF-16 offsets, at most 20. None when it cannot be used. */
export function placesOf(pattern: Pattern, text: string): readonly (readonly [from: number, to: number])[] {
  if (pattern.text === '') return []
  const literal = pattern.mode !== 'regex' && !pattern.ignoreCase ? { ...pattern, ignoreCase: true } : pattern
  const compiled = compile(literal)
  if (!(compiled instanceof RE2)) return []
  const places: (readonly [number, number])[] = []
  const search = new RE2(compiled.source, 'gu')
  for (let found = search.exec(text); found && places.length < MOST; found = search.exec(text)) {
    const [whole] = found
    if (whole !== '') places.push([found.index, found.index + whole.length])
    else search.lastIndex++
  }
  return places
}
