#!/bin/sh
# undici 7.30.2 (npm), request(): user and password in a URL, as people write them for a webhook or a configuration behind basic
# authentication.
# Expected: an `Authorization` header, as curl and Node's own http.get make of it; or an error, as fetch() has for it.
# Seen: neither. The request goes out without them, and the server's 401 says nothing of why. Tocsin makes the header itself where
# it takes such a URL.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@7.30.2
cat > run.mjs <<'JS'
import { createServer, get } from 'node:http'
import { fetch, request } from 'undici'
const server = createServer(({ headers }, response) => response.end(headers.authorization ?? 'none'))
server.listen(0, '127.0.0.1', async () => {
  const url = `http://ann:secret@127.0.0.1:${server.address().port}/`
  const seen = {
    'http.get': await new Promise(done => get(url, response => response.on('data', data => done(String(data))))),
    'undici.fetch': await fetch(url).then(response => response.text(), error => error.name),
    'undici.request': await (await request(url)).body.text(),
  }
  console.log(seen)
  const basic = `Basic ${btoa('ann:secret')}`
  process.exit(seen['http.get'] === basic && seen['undici.fetch'] === 'TypeError' && seen['undici.request'] === 'none' ? 0 : 1)
})
JS
node run.mjs
