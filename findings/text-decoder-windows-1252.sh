#!/bin/sh
# Node 20.20 (and each before it): TextDecoder('windows-1252') answers what Latin-1 would, for the 27 characters in which
# the two differ: the byte 0x80 is a control character and no euro sign. WHATWG's Encoding Standard says U+20AC. The same
# decoder with { stream: true } is right. Tocsin reads files and OTTL's Decode with that option. Newer lines are right.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
code='const bytes = Uint8Array.of(0x80, 0x93); const hex = t => [...t].map(c => c.codePointAt(0).toString(16)).join(" ");
console.log(process.version, "plain:", hex(new TextDecoder("windows-1252").decode(bytes)), "stream:", hex(new TextDecoder("windows-1252").decode(bytes, { stream: true })))'
for version in 20.20.0 24.18.0; do
  npm install --no-save --silent "node@$version"
  ./node_modules/node/bin/node -e "$code" | tee "out-$version"
done
grep -q 'plain: 80 93 stream: 20ac 201c' out-20.20.0
grep -q 'plain: 20ac 201c stream: 20ac 201c' out-24.18.0
