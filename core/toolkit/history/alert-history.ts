import type {
  Alert,
  DeliveryState,
  Labels,
  Matcher,
  Notification,
  Silence,
  SilenceFields,
  Transition,
} from './entries.js'

/**
 * What happened, as the `alert_history` extension keeps it: `context.extension<AlertHistory>('alert_history')`. With a storage that
 * is shared it is what happened on all collectors. Methods reject with a RetryableError when the storage cannot be reached.
 */
export interface AlertHistory {
  /** The name of this collector in entries. */
  readonly collector: string
  readonly limits: HistoryLimits
  /** Newest first, by `firedAt`. From memory: `filter.from` and `to` are about `firedAt`. */
  active(filter?: HistoryFilter, page?: PageRequest): Promise<Page<Alert>>
  /** Of active and ended alerts. Undefined when it is not known, or not any more. */
  alert(id: string): Promise<AlertStory | undefined>
  /** Newest first. */
  transitions(filter?: TransitionFilter, page?: PageRequest): Promise<Page<Transition>>
  /** Newest first. */
  notifications(filter?: NotificationFilter, page?: PageRequest): Promise<Page<Notification>>
  /** Sums over `filter.from` to `filter.to`: all of what is kept when there are none. */
  figures(filter?: HistoryFilter): Promise<Figures>
  /**
   * The same by time, oldest first, buckets without anything too. `stepMs` is rounded up to what is kept: 10 s for the last
   * `fineMs` of the limits, else 10 min; and to at most 1,000 buckets. Needs `from`.
   */
  timeline(filter: HistoryFilter & { readonly from: number }, stepMs: number): Promise<Timeline>
  /** Alerts that fired (kind `alert`), most first; `rest` counts what is not in the list. */
  top(by: 'severity' | 'message' | 'host', filter?: HistoryFilter, limit?: number): Promise<Top>
  /** Active first, then pending, then expired; each newest first. */
  silences(): Promise<readonly Silence[]>
  silence(id: string): Promise<Silence | undefined>
  /**
   * Makes a silence, or changes one: with an `id`, as Alertmanager does, in place where it may be, else the old one expires and
   * the answer has a new id. Rejects with a PermanentError: `bad_silence` (the message says what), `unknown_silence`.
   */
  setSilence(fields: SilenceFields & { readonly id?: string }): Promise<Silence>
  /** Ends it now. Rejects with a PermanentError: `unknown_silence`, `silence_expired`. */
  expireSilence(id: string): Promise<void>
  /** Ids of the active silences that match. */
  silencedBy(labels: Labels): readonly string[]
  /** What changes from now on, a few times a second at most. Answers how to stop. What a listener throws is logged. */
  subscribe(listener: (changes: HistoryChanges) => void): () => void
}

/** What is kept. */
export interface HistoryLimits {
  readonly retentionMs: number
  readonly maxEntries: number
  /** For so long figures are kept by 10 s. */
  readonly fineMs: number
}

/** What is wanted; fields that are not there do not narrow it. Severities and text without regard to case. */
export interface HistoryFilter {
  readonly severities?: readonly string[]
  readonly hosts?: readonly string[]
  readonly pipelines?: readonly string[]
  /** Found anywhere: in message, line, host, rule id, label values. Figures, timelines and tops look at the message and host alone. */
  readonly text?: string
  /** From this time on. Figures, timelines and tops take the beginning of the bucket it is in. */
  readonly from?: number
  /** Before this time. */
  readonly to?: number
  /** Of active alerts alone: on their labels. */
  readonly matchers?: readonly Matcher[]
}

/** Which notifications are wanted; what is left out filters nothing. */
export interface NotificationFilter extends HistoryFilter {
  readonly states?: readonly DeliveryState[]
  readonly exporters?: readonly string[]
}

/** Which transitions are wanted. */
export interface TransitionFilter extends HistoryFilter {
  readonly kind?: Transition['kind']
}

/** Which page of a list. */
export interface PageRequest {
  /** 100 unless it says so; at most 20,000 active alerts, 1,000 of the rest. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly cursor?: string
}

/** A page of a list, the newest first where it has an order of time. */
export interface Page<T> {
  readonly items: readonly T[]
  /** There may be more: a narrow filter looks at a few thousand entries a page, and may find none of them. */
  readonly next?: string
  /** Of active alerts: how many there are with this filter. */
  readonly total?: number
}

/** One alert's page. */
export interface AlertStory {
  readonly alert: Alert
  /** The row of the table. */
  readonly row: {
    readonly severity: string
    readonly message: string
    /** The pattern that matched when it fired. */
    readonly pattern: string
    /** Where its processor could tell, as stateful_alert can. */
    readonly recoveryPattern?: string
    /** When it alerts and recovers: `immediate[,E]` or `threshold,N,T,M,W[,E]`. */
    readonly schema?: string
    readonly ruleId?: string
    readonly runbook?: string
  }
  /** Why it fired: where the pattern was found in the line that fired it, as far as that can be told: UTF-16 offsets into `text`. */
  readonly why: { readonly text: string; readonly spans: readonly (readonly [from: number, to: number])[] }
  /** Oldest first: the first that accumulated to it (one), the one that fired, the newest duplicates, the end. */
  readonly lines: readonly AlertLine[]
  /** Oldest first. */
  readonly transitions: readonly Transition[]
  /** Newest first, at most 1,000. */
  readonly notifications: readonly Notification[]
  /** The record that fired it. */
  readonly attributes: { readonly [name: string]: unknown }
  readonly resource: { readonly [name: string]: unknown }
}

/** A log line that counted for an alert. `at`: when it came, ms since the epoch. */
export interface AlertLine {
  readonly at: number
  /** Event time. */
  readonly time: number
  /** Its alert status. */
  readonly status: string
  /** Cut after 8,000 characters. */
  readonly text: string
}

/** How often each came. */
export interface Figures {
  readonly alerts: number
  readonly recoveries: number
  readonly accumulating: number
  /** Duplicates of active alerts, and recoveries of what was not active: notifications that nobody got. */
  readonly duplicates: number
  /** Notifications by state, of those that ended in this time. */
  readonly sent: number
  readonly failed: number
  readonly suppressed: number
  /** Active now, with this filter but without regard to its time. */
  readonly active: number
}

/** Counts of `Figures` in one span of time. */
export type Bucket = Omit<Figures, 'active'> & { readonly at: number }

/** Counts over time, in steps of `stepMs`. */
export interface Timeline {
  readonly stepMs: number
  readonly buckets: readonly Bucket[]
}

/** The most frequent, and the sum of all others. */
export interface Top {
  readonly items: readonly { readonly name: string; readonly count: number }[]
  readonly rest: number
}

/** What changed since the last call. */
export interface HistoryChanges {
  /** New or changed alerts, active and just ended. */
  readonly alerts: readonly Alert[]
  readonly transitions: readonly Transition[]
  readonly notifications: readonly Notification[]
  /** Something about silences changed: ask again. */
  readonly silences: boolean
  /** What was counted since; a sum of it is no substitute for `figures()`, as others count too. */
  readonly counted: Omit<Figures, 'active'>
  /** More changed than can be told: ask again. */
  readonly overflow: boolean
}
