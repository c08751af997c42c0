#!/bin/sh
# @opentelemetry/otlp-transformer 0.223.0 (of the JavaScript SDK's OTLP exporters) writes every whole number as an integer in
# OTLP/JSON, however large: 1e21 becomes "intValue":1e+21, which is no int64, while its protobuf has a double_value (tag 0x21)
# for the same number. Tocsin keeps such a value as a double, and the record with it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent @opentelemetry/otlp-transformer@0.223.0 @opentelemetry/sdk-logs@0.223.0 @opentelemetry/api-logs@0.223.0 @opentelemetry/resources@2.12.0 @opentelemetry/api@1.9.1
cat > run.cjs <<'JS'
const { JsonLogsSerializer, ProtobufLogsSerializer } = require('@opentelemetry/otlp-transformer')
const { LoggerProvider, InMemoryLogRecordExporter, SimpleLogRecordProcessor } = require('@opentelemetry/sdk-logs')
const exporter = new InMemoryLogRecordExporter()
const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] })
provider.getLogger('x').emit({ body: 'text', attributes: { large: 1e21, two64: 2 ** 64 } })
setTimeout(() => {
  const logs = exporter.getFinishedLogRecords()
  const json = Buffer.from(JsonLogsSerializer.serializeRequest(logs)).toString()
  console.log(json.match(/"attributes":\[\{"key":"large.*/)[0])
  const proto = Buffer.from(ProtobufLogsSerializer.serializeRequest(logs))
  const at = proto.indexOf('two64') + 5
  console.log('protobuf of 2^64:', proto.subarray(at, at + 14).toString('hex'))
  process.exit(json.includes('"intValue":1e+21') && proto[at + 2] === 0x21 ? 0 : 1)
}, 100)
JS
node run.cjs
