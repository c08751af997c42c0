#!/bin/sh
# yaml-language-server 1.18.0 (of VS Code's YAML extension and others) completes no key that a JSON Schema allows by
# patternProperties only, even where the pattern names its keys one by one (^(apple|pear)$). It does use the pattern for what is below
# such a key: its keys are completed, and a wrong one is marked. So what `tocsin schema` prints has the types of components under
# properties too.
# Seen:
#   a key, by properties: ["apple","pear"]
#   a key, by patternProperties: []
#   below it, by patternProperties: ["size"]
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent yaml-language-server@1.18.0
cat > run.cjs <<'JS'
const { spawn } = require('node:child_process')
const { writeFileSync } = require('node:fs')
const { pathToFileURL } = require('node:url')
const { join } = require('node:path')
const thing = { type: 'object', additionalProperties: false, properties: { size: { type: 'number', description: 'How large.' } } }
writeFileSync('by-pattern.json', JSON.stringify({ type: 'object', properties: { things: { type: 'object', additionalProperties: false, patternProperties: { '^(apple|pear)$': thing } } } }))
writeFileSync('by-name.json', JSON.stringify({ type: 'object', properties: { things: { type: 'object', additionalProperties: false, properties: { apple: thing, pear: thing } } } }))
const server = spawn(process.execPath, ['node_modules/yaml-language-server/bin/yaml-language-server', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = new Map()
let received = Buffer.alloc(0), ids = 0
server.stdout.on('data', piece => {
  received = Buffer.concat([received, piece])
  for (;;) {
    const head = received.indexOf('\r\n\r\n')
    const length = Number(/Content-Length: (\d+)/.exec(received.toString('latin1', 0, head))?.[1])
    if (head < 0 || received.length < head + 4 + length) return
    const message = JSON.parse(received.toString('utf8', head + 4, head + 4 + length))
    received = received.subarray(head + 4 + length)
    if (message.method && message.id !== undefined) send({ id: message.id, result: [] })
    else answers.get(message.id)?.(message.result)
  }
})
const send = message => {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message })
  server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}
const ask = (method, params) => new Promise(done => { answers.set(++ids, done); send({ id: ids, method, params }) })
const labels = async (schema, text) => {
  const uri = pathToFileURL(join(process.cwd(), `${++ids}.yaml`)).href
  const whole = `# yaml-language-server: $schema=${schema}\n${text}`
  send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text: whole } } })
  const lines = whole.split('\n')
  const { items } = await ask('textDocument/completion', { textDocument: { uri }, position: { line: lines.length - 1, character: lines.at(-1).length } })
  return items.map(item => item.label)
}
;(async () => {
  await ask('initialize', { processId: process.pid, rootUri: pathToFileURL(process.cwd()).href, capabilities: {} })
  send({ method: 'initialized', params: {} })
  send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml: { completion: true, schemaStore: { enable: false } } } } })
  const found = {
    'a key, by properties': await labels('by-name.json', 'things:\n  '),
    'a key, by patternProperties': await labels('by-pattern.json', 'things:\n  '),
    'below it, by patternProperties': await labels('by-pattern.json', 'things:\n  apple:\n    '),
  }
  for (const [what, names] of Object.entries(found)) console.log(`${what}: ${JSON.stringify(names)}`)
  server.kill()
  const [byName, byPattern, below] = Object.values(found)
  process.exit(byName.includes('apple') && !byPattern.some(n => n.includes('apple')) && below.includes('size') ? 0 : 1)
})()
JS
node run.cjs
