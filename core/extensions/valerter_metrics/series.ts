import type { Labels } from './rules.js'
import type { MetricKind } from './table.js'

/** Values of one metric by labels. */
export class Series {
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>()

  add(labels: Labels, by: number): void {
    this.cell(labels).value += by
  }

  /** What is counted under these labels, to be kept by who counts there often. */
  cell(labels: Labels): { value: number } {
    const key = keyOf(labels)
    let cell = this.#values.get(key)
    if (!cell) {
      cell = { labels, value: 0 }
      this.#values.set(key, cell)
    }
    return cell
  }

  set(labels: Labels, value: number): void {
    this.#values.set(keyOf(labels), { labels, value })
  }

  get(labels: Labels): number {
    return this.#values.get(keyOf(labels))?.value ?? 0
  }

  *[Symbol.iterator](): IterableIterator<{ readonly labels: Labels; readonly value: number }> {
    yield* this.#values.values()
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** One metric as Prometheus text. `suffix` of a series: of histograms. */
export function exposition(
  name: string,
  kind: MetricKind,
  help: string,
  lines: Iterable<{ readonly labels: Labels; readonly value: number; readonly suffix?: string }>,
): string {
  const text = [...lines].map(({ labels, value, suffix = '' }) => {
    const pairs = Object.entries(labels).map(([label, of]) => `${label}="${escaped(of)}"`)
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${text.join('')}`
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
}

export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** The series of a Prometheus text. */
export function samplesOf(text: string): readonly Sample[] {
  return text.split('\n').flatMap(line => {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line)
    if (!found) return []
    const labels: { [name: string]: string } = {}
    for (const [, name, value] of (found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      labels[name as string] = (value as string).replace(/\\(.)/g, (_, char: string) =>
        char === 'n' ? '\n' : char,
      )
    return [{ name: found[1] as string, labels, value: Number(found[3]) }]
  })
}
