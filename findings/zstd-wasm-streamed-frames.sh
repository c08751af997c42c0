#!/bin/sh
# @bokuweb/zstd-wasm 0.0.27 (npm): decompress() of a frame that does not say how large its content is. The format allows it (RFC
# 8878, 3.1.1.1: the size is optional), and all leave it out that compress while they read, such as
# `zstd -c` in a pipe.
# Expected: the content, as of a frame that says its size.
# Seen: up to 1 MiB the content; beyond it "Failed to compress with code -70", which is about decompressing and the room for it. The
# room is `defaultHeapSize`, which whoever decompresses must know. Tocsin gives it the limit on a body.
# Needs: zstd (Debian: apt-get install zstd).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @bokuweb/zstd-wasm@0.0.27
cat > run.mjs <<'JS'
import { spawnSync } from 'node:child_process'
import { compress, decompress, init } from '@bokuweb/zstd-wasm'
await init()
const streamed = bytes => spawnSync('zstd', ['-q', '-c'], { input: bytes }).stdout
const tried = (bytes, options) => {
  try {
    return decompress(bytes, options).length
  } catch ({ message }) {
    return message
  }
}
const [small, large] = [2 ** 20, 2 ** 20 + 1].map(size => Buffer.alloc(size, 'a line of a log\n'))
const seen = {
  'that says its size, 1 MiB + 1': tried(compress(large)),
  'streamed, 1 MiB': tried(streamed(small)),
  'streamed, 1 MiB + 1': tried(streamed(large)),
  'the same, with room': tried(streamed(large), { defaultHeapSize: 4 * 2 ** 20 }),
}
console.log(seen)
const expected = [large.length, small.length, 'Failed to compress with code -70', large.length]
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify(expected) ? 0 : 1)
JS
node run.mjs
