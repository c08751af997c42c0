/** What the JSON API of the dashboard answers, for the server and for the page. Times are ms since the epoch. */
import type { Alert, Figures, Notification, SilenceFields, Timeline, Top } from '#history'

export type { Alert, AlertStory, Matcher, Notification, Page, Silence, Top, Transition } from '#history'

/** GET api/session: what the page needs to know first. */
export interface Session {
  readonly version: string
  /** The name of this collector in entries. */
  readonly collector: string
  readonly startedAt: number
  readonly now: number
  readonly allowChanges: boolean
  /** The id of the extension that keeps the history. */
  readonly history: string
  /** How long, and how much, the history keeps. */
  readonly retentionMs: number
  readonly maxEntries: number
  /** Languages besides those that the page has: from the files of the configuration. */
  readonly languages: readonly { readonly code: string; readonly name: string }[]
}

/** GET api/alerts: a page of these. One alert as a list shows it: GET api/alerts/ID has all of it. */
export type AlertRow = Pick<
  Alert,
  | 'id'
  | 'state'
  | 'severity'
  | 'message'
  | 'pipeline'
  | 'host'
  | 'collector'
  | 'firedAt'
  | 'lastAt'
  | 'duplicates'
  | 'lastLine'
  | 'endedAt'
  | 'silencedBy'
> & { readonly service: string }

/** GET api/summary: the figures of a time range. */
export interface Summary {
  readonly from: number
  readonly to: number
  readonly figures: Figures
  readonly timeline: Timeline
  readonly bySeverity: Top
  readonly byMessage: Top
  readonly byHost: Top
}

/** POST api/silences. With `id` it changes one. */
export type SilenceInput = SilenceFields & { readonly id?: string }

/** GET api/pipelines, and debug/pipelines: how everything is, now. */
export interface Flow {
  /** By the collector's clock, which may have been set since the page came. */
  readonly now: number
  readonly status: string
  readonly pipelines: readonly FlowPipeline[]
  readonly extensions: readonly FlowNode[]
  /** Records given up since the collector started. */
  readonly givenUp: { readonly kept: number; readonly dropped: number }
}

export interface FlowPipeline {
  readonly id: string
  readonly status: string
  readonly receivers: readonly FlowNode[]
  readonly processors: readonly FlowNode[]
  readonly exporters: readonly FlowNode[]
}

/** A component. Rates are records a second between the last two looks; there are none at the first. */
export interface FlowNode {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly message?: string
  /** RFC 3339: when it came to this status. */
  readonly since?: string
  readonly inRate?: number
  readonly outRate?: number
  readonly failedRate?: number
  readonly queue?: { readonly size: number; readonly capacity: number }
}

/** GET api/dead_letters. */
export interface DeadLetterPage {
  /** False when none are kept: there is no storage. */
  readonly kept: boolean
  readonly letters: number
  readonly records: number
  /** Newest first. */
  readonly newest: readonly DeadLetterRow[]
}

/** Records that were given up together. */
export interface DeadLetterRow {
  readonly id: string
  readonly at: number
  readonly pipeline: string
  readonly component: string
  readonly records: number
  readonly reason: string
  readonly detail: string
  readonly retryRequested: boolean
}

/** Events of GET api/live, server-sent. */
export interface LiveEvents {
  /** Alerts that changed, active or just ended. */
  readonly alerts: readonly AlertRow[]
  readonly notifications: readonly Notification[]
  /** Something was counted: the figures are others. */
  readonly counted: null
  /** The silences changed, and with them what alerts say of them. */
  readonly silences: null
  readonly flow: Flow
  /** Something was missed: load everything again. */
  readonly reset: null
}

/** What every answer that is no success says. */
export interface Refusal {
  readonly error: string
}
