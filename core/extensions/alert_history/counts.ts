import type { Figures } from '#history'

export const COUNTED = [
  'alerts',
  'recoveries',
  'accumulating',
  'duplicates',
  'sent',
  'failed',
  'suppressed',
] as const

export type Counted = (typeof COUNTED)[number]
export type Sums = { [name in Counted]: number }

/** What is counted apart. An alert keeps its own: a storm counts the same again and again. */
export class Subject {
  readonly key: string
  #wider: Subject | undefined

  constructor(
    readonly pipeline: string,
    readonly severity: string,
    readonly message: string,
    readonly host: string,
  ) {
    this.key = `${pipeline}\n${severity}\n${message}\n${host}`
  }

  /** What it counts as where there are too many: all of its severity, then all of its pipeline. */
  get wider(): Subject {
    const isNarrow = this.message !== '' || this.host !== ''
    this.#wider ??= new Subject(this.pipeline, isNarrow ? this.severity : '', '', '')
    return this.#wider
  }
}

/** A subject and its sums, in the order of `COUNTED`. */
export type Row = readonly [
  pipeline: string,
  severity: string,
  message: string,
  host: string,
  ...sums: number[],
]

/** Subjects in a span beyond this count as one for each pipeline and severity. */
const MOST_ROWS = 500
const MOST_SEVERITIES = 1_000

export function noSums(): Sums {
  return { alerts: 0, recoveries: 0, accumulating: 0, duplicates: 0, sent: 0, failed: 0, suppressed: 0 }
}

/** What was counted in one span of time. */
export class Counts {
  readonly #rows = new Map<string, { readonly subject: Subject; readonly sums: Sums }>()
  changed = true

  add(subject: Subject, what: Counted, count: number): void {
    this.#row(subject)[what] += count
    this.changed = true
  }

  rows(): Row[] {
    return [...this.#rows.values()].map(
      ({ subject: { pipeline, severity, message, host }, sums }): Row => [
        pipeline,
        severity,
        message,
        host,
        ...COUNTED.map(name => sums[name]),
      ],
    )
  }

  #row(subject: Subject): Sums {
    const { key, severity, message, host } = subject
    const known = this.#rows.get(key)
    if (known) return known.sums
    const { size } = this.#rows
    if (size >= MOST_ROWS && (message !== '' || host !== '')) return this.#row(subject.wider)
    if (size >= MOST_SEVERITIES && severity !== '') return this.#row(subject.wider)
    const sums = noSums()
    this.#rows.set(key, { subject, sums })
    return sums
  }
}

export function addRow(into: Sums, row: Row): void {
  for (const [at, name] of COUNTED.entries()) into[name] += Number(row[at + 4] ?? 0)
}

export type FiguresOfTime = Omit<Figures, 'active'>
