// Lines and alert rows such as real ones, the same in every run.

const random = seeded(20_261_121)
const pick = all => all[Math.floor(random() * all.length)]
const digits = count => String(Math.floor(random() * 10 ** count)).padStart(count, '0')

const SERVICES =
  'payments orders checkout billing inventory catalog search auth sessions gateway mailer notifier reports ledger ' +
  'shipping pricing profile media upload thumbnails scheduler worker ingest indexer replicator archiver proxy cache'
const FAULTS =
  'connection refused|connection reset by peer|deadline exceeded|no space left on device|too many open files|' +
  'deadlock detected|certificate has expired|out of memory|permission denied|checksum mismatch|quota exceeded|' +
  'replication lag too high|broken pipe|lock wait timeout|queue is full|leader lost|invalid credentials'
const CLASSES = 'SQL IO Timeout IllegalState NullPointer Socket Parse Auth Quota Lock Config Codec'
const services = SERVICES.split(' ')
const faults = FAULTS.split('|')
const classes = CLASSES.split(' ')

/** Rows such as alert tables have: the pattern, and a piece of a line that it matches. */
const TEMPLATES = [
  () => both(`ERROR.*${pick(services)}.*${pick(faults)}`, text => text.replaceAll('.*', ' then ')),
  () => both(`${pick(services)}-${digits(2)}.*${pick(faults)}`, text => text.replace('.*', ': ')),
  () => both(`${pick(classes)}Exception: ${pick(services)} ${pick(faults)}`, text => text),
  () => both(`(?i)${pick(faults)} on ${pick(services)}-${digits(3)}`, text => text.slice(4).toUpperCase()),
  () =>
    both(
      `\\b${pick(services)}\\[\\d+\\]: (fatal|panic): ${pick(faults)}`,
      text => `${text.slice(2, text.indexOf('\\['))}[421]: panic: ${text.slice(text.lastIndexOf(': ') + 2)}`,
    ),
  () =>
    both(`status=5\\d\\d .*path=/api/${pick(services)}/v${digits(2)}`, text =>
      text.replace('\\d\\d', '03').replace('.*', 'ms=12 '),
    ),
  () => both(`E${digits(4)}: .{0,40}${pick(faults)}`, text => text.replace('.{0,40}', 'upstream ')),
  () =>
    both(`disk usage on /mnt/${pick(services)}${digits(2)}:? 9[0-9]%`, text =>
      text.replace(':? 9[0-9]%', ': 97%'),
    ),
  () =>
    both(`OOM.*[Kk]illed process \\d+ \\(${pick(services)}-${digits(2)}\\)`, text =>
      text.replace('.*[Kk]', ': K').replace('\\d+', '4711').replaceAll('\\', ''),
    ),
  () =>
    both(`job=${pick(services)}-${digits(3)} (?:failed|aborted) after \\d+ attempts`, text =>
      text.replace('(?:failed|aborted)', 'aborted').replace('\\d+', '3'),
    ),
]

function both(text, sample) {
  return { text, sample: sample(text) }
}

/** Distinct rows: a pattern, and a piece of a line that it matches. */
export function rows(count) {
  const all = new Map()
  while (all.size < count) {
    const row = pick(TEMPLATES)()
    all.set(row.text, row)
  }
  return [...all.values()]
}

/** A line of normal life, made of the same words, or one around a sample; of so many bytes at least. */
export function line(bytes, middle) {
  const start = `2026-11-21T10:${digits(2)}:${digits(2)}.${digits(3)}Z host-${digits(2)} ${pick(services)}[${digits(4)}]: `
  let text = start + (middle ?? `INFO request served status=200 ms=${digits(2)} path=/api/${pick(services)}`)
  while (text.length < bytes) {
    text += pick([
      ` user=${digits(5)}`,
      ` trace=${digits(8)}`,
      ` ${pick(services)}=ok`,
      ` attempts ${digits(1)}`,
      ' retry',
    ])
  }
  return text.slice(0, Math.max(bytes, start.length + (middle?.length ?? 0)))
}

/** Lines of which this share matches one of the rows. */
export function lines(count, bytes, table, share) {
  return Array.from({ length: count }, () => line(bytes, random() < share ? pick(table).sample : undefined))
}

/** The rows as a lookup table of stateful_alert. */
export function tableOf(table, schema = 'immediate,3600') {
  const quoted = text => `"${text.replaceAll('"', '""')}"`
  const cells = ({ text }, n) => [quoted(text), '', `row ${n}`, 'critical', quoted(schema)].join(',')
  return `alert_pattern,recovery_pattern,normalized_message,severity,alert_schema\n${table.map(cells).join('\n')}\n`
}

/** The configuration that reads such lines from a file once, and asks such a table of them. */
export function configOf(log) {
  return `
receivers:
  file_log: { include: [${log}], start_at: beginning, stop_at_end: true }
processors:
  stateful_alert: { lookup_table: { location: alerts.csv }, hash_keys: [host.name] }
exporters:
  file: { path: out.jsonl, condition: 'attributes["alert"]["status"] == "alert"' }
service:
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines:
    logs: { receivers: [file_log], processors: [stateful_alert], exporters: [file] }
`
}

function seeded(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
