/** What the JSON API of the dashboard answers, for the server and for the page. Times are ms since the epoch. */

/** What happens to an alert, as in `attributes["alert"]["status"]`. */
export const TRANSITIONS = ['alert', 'recovery', 'alert_accumulating', 'alert_duplicate'] as const
export type Transition = (typeof TRANSITIONS)[number]

/** GET api/session: what the page needs to know first. */
export interface Session {
  readonly version: string
  readonly host: string
  readonly startedAt: number
  readonly now: number
  readonly allowChanges: boolean
  /** Where the history lies and how long it is kept, as a sentence. */
  readonly history: string
  /** Languages besides those that the page has: from the files of the configuration. */
  readonly languages: readonly { readonly code: string; readonly name: string }[]
}

/** One alert as a list shows it. */
export interface AlertRow {
  /** Of the episode: one outbreak of an alert, until it recovers. */
  readonly id: string
  /** Of the alert, through all of its episodes. */
  readonly key: string
  readonly active: boolean
  readonly severity: string
  readonly message: string
  readonly pipeline: string
  readonly host: string
  readonly service: string
  /** The newest log line, cut. */
  readonly line: string
  readonly since: number
  readonly lastSeen: number
  readonly endedAt?: number
  /** Lines since it began. */
  readonly count: number
  readonly collector: string
  /** The id of a silence that is in force for it. */
  readonly silence?: string
}

/** GET api/alerts. */
export interface AlertPage {
  readonly alerts: readonly AlertRow[]
  /** Of all that fit, not only of this page. */
  readonly total: number
  /** `cursor` of the next page. */
  readonly next?: string
}

/** GET api/alerts/{id}. */
export interface AlertDetail {
  readonly alert: AlertRow
  readonly why: {
    readonly pattern: string
    readonly recoveryPattern?: string
    readonly matchMode?: string
    readonly alertSchema?: string
    readonly ruleId?: string
    readonly processor?: string
    /** Where the pattern is found in the line that raised it. */
    readonly span?: readonly [from: number, to: number]
  }
  readonly endReason?: string
  readonly links: readonly { readonly title: string; readonly url: string }[]
  /** Labels, as silences match them. */
  readonly labels: { readonly [name: string]: string }
  /** Newest first. */
  readonly lines: readonly { readonly at: number; readonly status: string; readonly line: string }[]
  readonly notifications: readonly NotificationRow[]
  readonly silences: readonly SilenceRow[]
  /** Earlier and later episodes of the same alert, newest first. */
  readonly episodes: readonly AlertRow[]
}

/** GET api/summary: the figures of a time range. */
export interface Summary {
  readonly from: number
  readonly to: number
  readonly totals: { readonly [transition in Transition]: number }
  /** Equal steps; `counts[transition][i]` is of `from + i * stepMs`. */
  readonly timeline: {
    readonly from: number
    readonly stepMs: number
    readonly counts: { readonly [transition in Transition]: readonly number[] }
  }
  readonly bySeverity: readonly Share[]
  readonly byMessage: readonly Share[]
  readonly byHost: readonly Share[]
}

/** Alerts that a value has had. */
export interface Share {
  readonly value: string
  readonly count: number
}

/** One notification and what its destinations answered. */
export interface NotificationRow {
  readonly id: string
  readonly at: number
  /** The id of the alert's episode; none for what is no stateful alert. */
  readonly alert?: string
  readonly status: string
  readonly severity: string
  readonly title: string
  readonly line: string
  readonly pipeline: string
  readonly host: string
  readonly deliveries: readonly {
    readonly exporter: string
    readonly state: 'pending' | 'delivered' | 'retrying' | 'given_up' | 'silenced'
    readonly at: number
    readonly attempts: number
    readonly answer?: string
  }[]
}

/** GET api/notifications. */
export interface NotificationPage {
  readonly notifications: readonly NotificationRow[]
  readonly next?: string
}

/** A silence: matchers as Alertmanager has them. */
export interface SilenceRow {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly startsAt: number
  readonly endsAt: number
  readonly createdBy: string
  readonly comment: string
  readonly state: 'active' | 'pending' | 'expired'
  /** Active alerts that it fits. */
  readonly alerts: number
}

export interface Matcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
}

/** POST api/silences. With `id` it changes one. */
export interface SilenceInput {
  readonly id?: string
  readonly matchers: readonly Matcher[]
  readonly startsAt: number
  readonly endsAt: number
  readonly createdBy: string
  readonly comment: string
}

/** GET api/pipelines: how everything is, now. */
export interface Flow {
  readonly status: string
  readonly pipelines: readonly FlowPipeline[]
  readonly extensions: readonly FlowNode[]
  readonly deadLetters: { readonly records: number; readonly lately: readonly DeadLetterRow[] }
}

export interface FlowPipeline {
  readonly id: string
  readonly status: string
  readonly receivers: readonly FlowNode[]
  readonly processors: readonly FlowNode[]
  readonly exporters: readonly FlowNode[]
}

/** A component. Rates are records a second over the last seconds. */
export interface FlowNode {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly message?: string
  readonly since?: string
  readonly inRate?: number
  readonly outRate?: number
  readonly failedRate?: number
  readonly queue?: { readonly size: number; readonly capacity: number }
}

/** Records that were given up together. */
export interface DeadLetterRow {
  readonly at: number
  readonly pipeline: string
  readonly component: string
  readonly records: number
  readonly kept: boolean
  readonly line: string
}

/** Events of GET api/live. */
export interface LiveEvents {
  /** Alerts that changed: newest state. */
  readonly alerts: readonly AlertRow[]
  readonly notifications: readonly NotificationRow[]
  /** The silences changed. */
  readonly silences: null
  readonly flow: Flow
  /** Something was missed: load everything again. */
  readonly reset: null
}

/** What every answer that is no success says. */
export interface Refusal {
  readonly error: string
}
