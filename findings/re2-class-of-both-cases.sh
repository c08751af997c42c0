#!/bin/sh
# RE2, as of re2-wasm 1.0.2 (npm, RE2 compiled to WebAssembly), and so in re2 1.24.0: a class of one letter in both cases, [kK] or [sS], in
# a pattern without (?i), beside a single character: [kK]|x.
# Expected by RE2's syntax page, and of Node's own RegExp: it matches k, K and x.
# Seen: it matches the Kelvin sign (U+212A) too, and [sS]|x the long s (U+017F); [kK] alone, and [kKx], do not. RE2 keeps the class as a
# letter without case, and a letter without case has those. Tocsin's search for lines that a pattern may match expects them.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund re2-wasm@1.0.2
cat > run.cjs <<'JS'
const { RE2 } = require('re2-wasm')
const seen = [
  ['[kK]|x', '\u212a'],
  ['[sS]|x', '\u017f'],
  ['[kK]', '\u212a'],
  ['[kKx]', '\u212a'],
].map(([pattern, text]) => ({
  pattern,
  text,
  re2: new RE2(pattern, 'u').test(text),
  RegExp: new RegExp(pattern, 'u').test(text),
}))
console.table(seen)
process.exit(seen.map(({ re2, RegExp }) => `${re2} ${RegExp}`).join() === 'true false,true false,false false,false false' ? 0 : 1)
JS
node run.cjs
