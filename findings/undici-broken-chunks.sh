#!/bin/sh
# undici 7.30.2 (npm), request(): a server that fails after its headers and writes its reason over the chunked coding, as
# VictoriaLogs 1.26.0 does on /select/logsql/tail.
# Expected by its documentation: the body ends with an error that says what is wrong with the response.
# Seen: it does, and the server's words are nowhere in the message or the body; they are in the property `data` of
# the HTTPParserError, as text, from the byte at which the coding broke. Who logs only the message loses the reason.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@7.30.2
cat >run.mjs <<'JS'
import { createServer } from 'node:net'
import { request } from 'undici'

const words = '\nthe connection has been aborted; see the server log for the reason\n'
const server = createServer(socket =>
  socket.once('data', () => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n')
    setTimeout(() => socket.end(words), 50)
  }),
)
server.listen(0, '127.0.0.1', async () => {
  const { body } = await request(`http://127.0.0.1:${server.address().port}`)
  let text = ''
  body.on('data', chunk => (text += chunk))
  body.on('error', error => {
    console.log({ body: text, name: error.name, message: error.message, data: error.data })
    const asSeen = text === '{"a":1}\n' && error.name === 'HTTPParserError' && error.data === words
    process.exit(asSeen && !error.message.includes('aborted') ? 0 : 1)
  })
  body.on('end', () => process.exit(1))
})
JS
node run.mjs || { echo "changed: the server's words are not in error.data any more" >&2; exit 1; }
