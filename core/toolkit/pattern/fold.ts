/**
 * Characters that case mapping does not reach from the key, although it leads from them to the key: the
 * Kelvin sign, the long s, ... A test compares all of Unicode with RE2.
 */
const ONE_WAY = new Map(
  Object.entries({
    k: '\u212a',
    s: '\u017f',
    å: '\u212b',
    ß: '\u1e9e',
    ǆ: '\u01c5',
    ǉ: '\u01c8',
    ǌ: '\u01cb',
    ǳ: '\u01f2',
    β: '\u03d0',
    ε: '\u03f5',
    θ: '\u03d1\u03f4',
    ι: '\u0345\u1fbe',
    κ: '\u03f0',
    μ: '\u00b5',
    π: '\u03d6',
    ρ: '\u03f1',
    σ: '\u03c2',
    φ: '\u03d5',
    ω: '\u2126',
    в: '\u1c80',
    д: '\u1c81',
    о: '\u1c82',
    с: '\u1c83',
    т: '\u1c84\u1c85',
    ъ: '\u1c86',
    ѣ: '\u1c87',
    ꙋ: '\u1c88',
    ṡ: '\u1e9b',
  }),
)

/** Polytonic Greek and the ligatures of st, whose case mappings are several characters. */
const IRREGULAR = /^[\u0390\u03b0\u1f80-\u1fff\ufb05\ufb06]$/

/**
 * All code points that RE2's `(?i)` takes for this one, itself included; of ASCII letters only the lower case,
 * because the automaton folds ASCII itself. `undefined`: not known.
 */
export function foldsOf(rune: number): readonly number[] | undefined {
  const folds = new Set([rune])
  for (const fold of folds) {
    const character = String.fromCodePoint(fold)
    if (IRREGULAR.test(character) && fold !== 0x1fbe) return undefined
    for (const other of [
      character.toLowerCase(),
      character.toUpperCase(),
      ...(ONE_WAY.get(character) ?? ''),
    ]) {
      const [first, more] = other
      if (first !== undefined && more === undefined) folds.add(first.codePointAt(0)!)
    }
  }
  return [...folds].filter(fold => fold < 65 || fold > 90)
}
