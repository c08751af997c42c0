import {
  type ComponentContext,
  durationMs,
  errorText,
  formatProblem,
  type Keyed,
  msToNs,
  PermanentError,
  type Problem,
  type StorageExtension,
} from 'tocsin/component'
import { rowsOf, type StatefulAlertConfig } from './config.js'
import { decisionRules, written } from './decision-rules.js'
import { findings } from './explain.js'
import { hashKeys } from './hash-keys.js'
import { KnownRules } from './known-rules.js'
import { type Rules, type Sighting, stepAlert } from './machine.js'
import { isBody, matcher, ruleIdOf, textReader } from './matcher.js'
import { mergeStates } from './merge.js'
import { alertMetrics } from './metrics.js'
import { type Outcome, outcomeCodec } from './outcome.js'
import { enrich, recoveryRecord, scanRecord } from './output.js'
import { RecentDecisions } from './recent-decisions.js'
import type { RowProblem } from './rule.js'
import { Scans } from './scans.js'
import { type AlertState, stateCodec } from './state.js'
import { loadRows, type Table } from './table.js'
import { TableKeeper } from './table-keeper.js'

/** How often the active alerts of a shared store are counted: others raise and close them too. */
const LOOK_EVERY_MS = 300_000

/**
 * The stateful_alert processor: finds rows in batches, steps the state of each row and key (machine.ts) and writes
 * what came of it to `attributes["alert"]`.
 */
export function statefulAlert(
  context: ComponentContext<StatefulAlertConfig>,
): Keyed<AlertState, Sighting, Outcome> {
  const { config } = context
  const { clock, logger, storage } = context
  const given = config.patterns && loadRows(rowsOf(config))
  const fixed = given?.table
  const known = new KnownRules(storage(config.storage))
  const recent = new RecentDecisions(config.max_keys)
  const scans = new Scans()
  const match = matcher(config)
  const textOf = textReader(config.match_field)
  const keys = hashKeys(config.hash_keys)
  const metrics = alertMetrics(context, () => fixed ?? keeper?.table, recent)
  /** Rows whose keys are to be looked at: their E changed. */
  let changed: ReadonlySet<string> = new Set()
  let nextLookMs = clock.monotonicMs()

  const keeper = config.lookup_table && new TableKeeper(config, context, { onLoad: loaded })
  const table = (): Table => {
    const current = fixed ?? keeper?.table
    if (!current) throw new PermanentError('not_started', 'The lookup table has not been loaded.')
    return current
  }
  const mayMatch = (bytes: Uint8Array, start: number, end: number): boolean =>
    table().set.mayMatch(bytes, start, end)
  const rules: Rules = {
    ruleOf: key => table().byId.get(ruleIdOf(key)),
    isRemoved: key => known.isRemoved(ruleIdOf(key)),
    ttlNs: msToNs(durationMs(config.state_ttl)),
    scanNs: msToNs(durationMs(config.scan_interval)),
  }

  async function loaded(table: Table): Promise<void> {
    metrics.loaded(table)
    if (keeper) metrics.reloaded()
    const rows = new Map([...table.byId].map(([id, { schema }]) => [id, schema.expireNs]))
    changed = new Set([...changed, ...known.loaded(rows)])
    await saveRules()
  }

  function saveRules(): Promise<void> {
    return known.save().catch(error => {
      logger.warn('What rows the table has could not be kept; the next load tries again.', {
        reason: errorText(error),
      })
    })
  }

  return {
    storage: config.storage,
    ...(config.namespace !== undefined && { namespace: config.namespace }),
    maxKeys: config.max_keys,
    timeSource: config.time_source,
    state: stateCodec,
    outcome: outcomeCodec,
    async start() {
      await known.restore().catch(error => {
        logger.warn(
          'What rows the table had is not known: no alert is closed for a row that went meanwhile.',
          {
            reason: errorText(error),
          },
        )
      })
      for (const problem of given?.problems ?? []) logger.warn(formatProblem(ofEntry(problem)))
      if (fixed) await loaded(fixed)
      await keeper?.start()
    },
    stop: async () => keeper?.stop(),
    select(records) {
      recent.begin(clock.now())
      return match(table(), records)
    },
    ...(isBody(config.match_field) && { touches: record => record.bodyIn?.(mayMatch) ?? true }),
    step: (state, event) => stepAlert(rules, state, event),
    join(record, outcomes) {
      metrics.count(outcomes)
      const records = enrich(record, outcomes)
      recent.note(outcomes, records, record)
      return records
    },
    expire(outcomes) {
      metrics.count(outcomes)
      const stale = outcomes.filter(({ status }) => status === 'heartbeat_scan')
      const recoveries = outcomes.filter(({ status }) => status !== 'heartbeat_scan')
      const records = [...recoveries.map(recoveryRecord), ...scans.add(stale).map(scanRecord)]
      recent.begin(clock.now())
      recent.note(outcomes, records)
      return records
    },
    summarize() {
      const records = scans.takeAll().map(scanRecord)
      recent.tell(records)
      return records
    },
    decisions: () => recent.watch(),
    merge: mergeStates,
    lookEarly() {
      const closing = known.removed
      const moving = changed
      const looks = clock.monotonicMs() >= nextLookMs
      if (!looks && closing.size === 0 && moving.size === 0) return undefined
      if (looks) {
        recent.beginLook()
        nextLookMs = isShared() ? clock.monotonicMs() + LOOK_EVERY_MS : Number.POSITIVE_INFINITY
      }
      changed = new Set()
      return {
        wants: key => looks || closing.has(ruleIdOf(key)) || moving.has(ruleIdOf(key)),
        seen: (key, state) => recent.seen(key, state?.active && severityOf(key, state.active.row.severity)),
        done() {
          if (looks) recent.endLook()
          known.forget(closing)
          void saveRules()
        },
      }
    },
    storeFailed: () => metrics.storeFailed(),
    explain: record => findings(table(), record, { ...config, textOf }),
    rules: () => decisionRules([...table().byId.values()], config.lookup_table?.location),
    about(key, record) {
      const rule = rules.ruleOf(key)
      return { rule: ruleIdOf(key), values: keys.shown(record), ...(rule && { written: written(rule) }) }
    },
  }

  function severityOf(key: string, severity: string): string {
    return rules.ruleOf(key)?.text.severity ?? severity
  }

  function isShared(): boolean {
    return config.storage !== undefined && context.extension<StorageExtension>(config.storage).storage.shared
  }
}

/** In messages about two entries the other is named by its place, from 0. */
function ofEntry({ severity, line, column, message, fix }: RowProblem): Problem {
  return {
    severity,
    path: ['patterns', line, ...(column ? [column] : [])],
    message: message.replace(/\bline (\d+)/, 'patterns[$1]'),
    ...(fix !== undefined && { fix }),
  }
}
