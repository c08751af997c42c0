/** Times are ms since the epoch, by the clock of the collector that wrote them, unless a field says otherwise. */

/** An alert from its firing to its end: one episode. */
export interface Alert {
  /**
   * The `event_id`: the same from the first accumulating event through the recovery, on every collector. Where a second pipeline decides
   * the same of the same record, with something behind it.
   */
  readonly id: string
  /** The `alert_key`: the same for every episode of this row and these hash keys. */
  readonly key: string
  readonly state: 'active' | 'ended'
  /** As its table has it: free text. */
  readonly severity: string
  /** The `normalized_message`. */
  readonly message: string
  /** Where it was decided. */
  readonly pipeline: string
  readonly processor: string
  /** '' when the record says none. */
  readonly host: string
  /** Which collector saw it fire. */
  readonly collector: string
  readonly firedAt: number
  /** The event time of the oldest event of the episode. */
  readonly firstOccurrence: number
  /** When something was last heard of it. */
  readonly lastAt: number
  /** Duplicates since it fired. */
  readonly duplicates: number
  /** The newest line, cut after 1,000 characters. */
  readonly lastLine: string
  readonly endedAt?: number
  readonly endReason?: EndReason
  /** What Alertmanager's API shows and silences match: `alertname`, `severity`, `host`, `pipeline`, ... */
  readonly labels: Labels
  /** 16 hex digits, of the labels, as Alertmanager computes it. */
  readonly fingerprint: string
  readonly ruleId?: string
  readonly runbook?: string
  readonly links: readonly { readonly title: string; readonly url: string }[]
  /** Ids of the silences that hold its notifications back now. */
  readonly silencedBy: readonly string[]
}

/** Labels of a silence or an alert, as the Alertmanager has them. */
export type Labels = { readonly [name: string]: string }

/**
 * Why an alert is not active any more: what its recovery says, `stale` when its state was removed or nothing was heard of it for
 * the time of retention, `replaced` when another episode of its key fired, `state_lost` when its processor says that it is not active.
 */
export type EndReason = 'pattern' | 'auto_expire' | 'rule_removed' | 'stale' | 'replaced' | 'state_lost'

/** An alert fired, or ended. What only counts is in figures and timelines. */
export interface Transition {
  /** The same on every collector, and when the record comes again after a crash. */
  readonly id: string
  readonly at: number
  readonly kind: 'alert' | 'recovery'
  /** Of a recovery. */
  readonly reason?: EndReason
  /** `Alert.id`. */
  readonly alert: string
  /** The event time of the record that made it. */
  readonly eventTime: number
  readonly severity: string
  readonly message: string
  readonly pipeline: string
  readonly host: string
  readonly collector: string
  /** The line that made it, cut after 1,000 characters; the message when a timer did. */
  readonly line: string
  /** Of a recovery: how long the alert was active, ms. */
  readonly lastedMs?: number
  /** Of a recovery: duplicates since it fired. Of an alert in threshold mode: how many events made it fire. */
  readonly count?: number
}

/** One message to one destination, and what became of it. */
export interface Notification {
  /** The same when it is sent again: exporter and key. */
  readonly id: string
  /** When it was queued, or held back. */
  readonly at: number
  readonly exporter: string
  /** That of the exporter. */
  readonly pipeline: string
  readonly collector: string
  /** `Alert.id`, when it tells of one. */
  readonly alert?: string
  /** What it tells: the record's alert status, `reminder` for an alert that is still active when its silence ends, '' when it is no alert's. */
  readonly tells: 'alert' | 'recovery' | 'reminder' | string
  readonly title: string
  readonly severity: string
  readonly message: string
  readonly host: string
  /** The log line, cut after 1,000 characters. */
  readonly line: string
  readonly state: DeliveryState
  readonly attempts: number
  /** When it came to this state. */
  readonly changedAt: number
  /** Why it is not sent: a named reason, such as `silenced`, `refused`, `retries_exhausted`. */
  readonly reason?: string
  /** What the destination answered last, or what went wrong; cut after 500 characters. */
  readonly answer?: string
  /** Ids of the silences that held it back. */
  readonly silences?: readonly string[]
}

/**
 * - `pending`: in the queue, not tried yet
 * - `failed`: tried, and tried again
 * - `sent`: the destination has it
 * - `dead_lettered`, `dropped`: given up, kept as a dead letter or not
 * - `suppressed`: held back
 */
export type DeliveryState = 'pending' | 'sent' | 'failed' | 'dead_lettered' | 'dropped' | 'suppressed'

/** As Alertmanager has it: a label and what it must be. A label that is not there is ''. Regular expressions (RE2) match the whole value. */
export interface Matcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
}

/** What a silence is made of. */
export interface SilenceFields {
  /** At least one, and one of them must not match the empty value. */
  readonly matchers: readonly Matcher[]
  readonly startsAt: number
  readonly endsAt: number
  readonly createdBy: string
  readonly comment: string
}

/** Holds back the notifications of alerts whose labels all of its matchers match. */
export interface Silence extends SilenceFields {
  readonly id: string
  readonly updatedAt: number
  readonly state: 'pending' | 'active' | 'expired'
}
