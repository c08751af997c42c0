import type { Finding } from '../../component/index.js'
import type { WatchedRules } from '../../rehearsal/index.js'
import type { AlertStory, Silence } from '../../toolkit/history/index.js'
import type { Shown } from '../test/shown.js'

/** What one line does, as plain JSON. */
export interface Explanation {
  readonly at: string
  readonly receiver: string
  /** Where state comes from. */
  readonly state: readonly string[]
  /** Of an `event_id`. */
  readonly happened?: AlertStory & { readonly silences: readonly Silence[] }
  /** What the receiver makes of the line; none when it drops it. */
  readonly record: Shown | undefined
  readonly pipelines: readonly PipelineExplained[]
  /** What could not be told, and warnings. */
  readonly problems: readonly string[]
}

export interface PipelineExplained {
  readonly pipeline: string
  readonly steps: readonly StepExplained[]
  readonly exporters: readonly ExporterExplained[]
}

export interface StepExplained {
  readonly processor: string
  /** Nothing comes out of it. */
  readonly dropped: boolean
  readonly changes: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[]
  readonly findings: readonly (Finding & { readonly row?: Row })[]
  readonly decisions: readonly Decided[]
}

/** A row, as its processor names it. */
export type Row = WatchedRules['rules'][number]

export interface Decided {
  readonly row?: Row
  readonly key: string
  /** What tells the key from others of the row. */
  readonly values: string
  readonly reason: string
  readonly before: unknown
  readonly after: unknown
  readonly episode?: string
  /** So many more records like this one begin an episode. */
  readonly missing?: number
  /** A timer decided it, on the way to the line. */
  readonly timer?: true
}

export interface ExporterExplained {
  readonly exporter: string
  readonly sent: boolean
  /** A named reason, where it is not sent. */
  readonly reason?: string
  readonly why?: string
  readonly silences?: readonly Silence[]
  readonly notification?: Shown
  readonly record?: Shown
}
