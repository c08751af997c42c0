import type { WebAnswer, WebRequest } from 'tocsin/http'
import type { Flow, FlowNode } from './messages.js'

/** As the Collector's zpages: plain, for when nothing else works. JSON for who accepts that and no HTML. */
export function debugPipelines({ headers }: WebRequest, flow: Flow): WebAnswer {
  const { accept = '' } = headers
  if (!accept.includes('text/html')) return { code: 200, body: `${JSON.stringify(flow, null, 2)}\n` }
  const rows = flow.pipelines.flatMap(({ id, receivers, processors, exporters }) =>
    [...receivers, ...processors, ...exporters].map(node => row(id, node)),
  )
  const extensions = flow.extensions.map(node => row('', node))
  const { kept, dropped } = flow.givenUp
  return {
    code: 200,
    contentType: 'text/html',
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pipelines</title></head><body>
<h1>Pipelines: ${escaped(flow.status)}</h1>
<p>Records given up: ${kept} kept as dead letters, ${dropped} dropped. JSON: <code>curl -H 'accept: application/json'</code>.</p>
<table border="1" cellpadding="4">
<tr><th>pipeline</th><th>kind</th><th>component</th><th>status</th><th>since</th><th>in/s</th><th>out/s</th><th>failed/s</th><th>queue</th><th>message</th></tr>
${[...rows, ...extensions].join('\n')}
</table></body></html>
`,
  }
}

function row(
  pipeline: string,
  { kind, id, status, since, inRate, outRate, failedRate, queue, message }: FlowNode,
) {
  const cells = [
    ...[pipeline, kind, id, status, since ?? ''],
    ...[inRate, outRate, failedRate].map(rate => rate?.toFixed(1) ?? ''),
    queue ? `${queue.size} of ${queue.capacity}` : '',
    message ?? '',
  ]
  return `<tr>${cells.map(cell => `<td>${escaped(cell)}</td>`).join('')}</tr>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
