#!/bin/sh
# ioredis 6.0.0 (npm), connect() to where no Redis listens, with retryStrategy: () => null.
# Expected: the promise is rejected with why, ECONNREFUSED and the address.
# Seen: it is rejected with "Connection is closed.", without a code; the reason is in the event `error` alone, which comes before. Who
# logs the rejection cannot tell a wrong port from a wrong password. Tocsin tells what the event said.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ioredis@6.0.0
cat > run.cjs <<'JS'
const { Redis } = require('ioredis')
const { createServer } = require('node:net')
// A port that was free a moment ago.
const server = createServer().listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  server.close(async () => {
    const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null })
    const seen = []
    redis.on('error', ({ code, message }) => seen.push({ by: 'event', code, message }))
    await redis.connect().catch(({ code, message }) => seen.push({ by: 'rejection', code, message }))
    console.log(seen)
    const [event, rejection] = seen
    const asSeen = event.code === 'ECONNREFUSED' && rejection.message === 'Connection is closed.'
    process.exit(asSeen && rejection.code === undefined ? 0 : 1)
  })
})
JS
node run.cjs
