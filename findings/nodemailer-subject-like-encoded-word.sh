#!/bin/sh
# nodemailer 10.6.0 (npm): a subject that holds what looks like an encoded word of RFC 2047, as the log line of a mail server does:
# "login of =?UTF-8?Q?=42ob?= failed".
# Expected: the reader's program shows that text, so what looks like an encoded word is encoded itself (RFC 2047, 7: a program that
# composes must make sure that nothing else is taken for one).
# Seen: it goes out as it is, and the reader sees "login of Bob failed". With one letter beyond ASCII beside it all of it is encoded,
# and is shown right. Tocsin encodes such a subject itself.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund nodemailer@10.6.0
cat > run.cjs <<'JS'
const { createTransport } = require('nodemailer')
const transport = createTransport({ streamTransport: true, buffer: true })
const header = async subject => {
  const { message } = await transport.sendMail({ from: 'a@example.org', to: 'b@example.org', subject, text: 'x' })
  return /^Subject: (.*(?:\r\n .*)*)/m.exec(message.toString())[1]
}
;(async () => {
  const plain = await header('login of =?UTF-8?Q?=42ob?= failed')
  const beside = await header('lógin of =?UTF-8?Q?=42ob?= failed')
  console.log({ plain, beside })
  process.exit(plain === 'login of =?UTF-8?Q?=42ob?= failed' && !beside.includes('=?UTF-8?Q?=42ob?=') ? 0 : 1)
})()
JS
node run.cjs
