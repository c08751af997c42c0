#!/bin/sh
# re2 1.24.0 (npm, the binding of RE2 for Node.js): a slash in \Q...\E, RE2's quotation of literal text, as people write it around the
# path of a file: \Q/var/log\E.
# Expected by RE2's syntax page: it matches the text /var/log and nothing else, as (?:/var/log) does.
# Seen: it does not match /var/log, but \/var\/log: before RE2 sees a pattern, the binding puts a backslash before every slash, which is
# literal text within a quotation. `source` shows it. Tocsin writes quotations out before the binding gets them.
# Compiles re2 where its binary cannot be had from GitHub: some minutes. Needs Node.js 20, 22 or 24.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"allowScripts":{"re2":true}}' > package.json
npm install --silent --no-audit --no-fund re2@1.24.0
cat > run.cjs <<'JS'
const RE2 = require('re2')
const quoted = new RE2('\\Q/var/log\\E', 'u')
const seen = {
  plain: new RE2('^(?:/var/log)$', 'u').test('/var/log'),
  quoted: quoted.test('/var/log'),
  'quoted, of the text with backslashes': quoted.test('\\/var\\/log'),
  source: quoted.source,
}
console.log(seen)
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify([true, false, true, '\\Q\\/var\\/log\\E']) ? 0 : 1)
JS
node run.cjs
