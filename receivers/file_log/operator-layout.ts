// Go's reference time in the letters of strptime, the longer ones first.
const GO: readonly (readonly [string, string])[] = [
  ['January', '%B'],
  ['Monday', '%A'],
  ['2006', '%Y'],
  ['Z07:00', '%z'],
  ['-07:00', '%z'],
  ['Z0700', '%z'],
  ['-0700', '%z'],
  ['MST', '%Z'],
  ['Jan', '%b'],
  ['Mon', '%a'],
  ['PM', '%p'],
  ['15', '%H'],
  ['03', '%I'],
  ['01', '%m'],
  ['02', '%d'],
  ['_2', '%e'],
  ['04', '%M'],
  ['05', '%S'],
  ['06', '%y'],
]

// The letters of stanza's layouts that strptime calls otherwise.
const STANZA: { readonly [letter: string]: string } = {
  s: '%N',
  o: '%m',
  q: '%m',
  g: '%d',
  i: '%z',
  j: '%z',
  k: '%z',
  w: '%z',
}

/** The `timestamp.format` of a parser for the layout of an operator; undefined where there is none. */
export function layoutOf(operator: { readonly [key: string]: unknown }): {
  readonly format: string | undefined
} {
  const layout = String(operator.layout ?? '')
  switch (operator.layout_type ?? 'strptime') {
    case 'epoch':
      return { format: { s: 'unix', 's.ms': 'unix', 's.us': 'unix', 's.ns': 'unix', ms: 'unix_ms' }[layout] }
    case 'gotime':
      return { format: fromGo(layout) }
    default:
      return {
        format:
          layout.replace(/%([a-zA-Z])/g, (whole, letter: string) => STANZA[letter] ?? whole) || undefined,
      }
  }
}

function fromGo(layout: string): string | undefined {
  let format = ''
  for (let at = 0; at < layout.length; ) {
    const found = GO.find(([text]) => layout.startsWith(text, at))
    const fraction = /^[.,][09]+(?!\d)/.exec(layout.slice(at))?.[0]
    if (fraction) {
      format += `${fraction[0]}%f`
      at += fraction.length
    } else if (found) {
      format += found[1]
      at += found[0].length
    } else {
      // A bare digit is a letter of Go's that has no counterpart here.
      if (/\d/.test(layout[at] as string)) return undefined
      format += layout[at++]
    }
  }
  return format.includes('%') ? format : undefined
}

/** A format of the parser in the letters of OTTL's `Time`. */
export function ottlLayout(format: string): string {
  return format.replace(/%N/g, '%s')
}
