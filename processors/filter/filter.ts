import {
  type ComponentContext,
  errorText,
  type Finding,
  isTocsinError,
  type LogRecord,
  type Mapper,
  type Records,
  type TocsinError,
} from 'tocsin/component'
import { type Condition, compileCondition, type ErrorMode } from 'tocsin/ottl'
import type { FilterConfig } from './config.js'

interface Rule {
  readonly text: string
  readonly condition: Condition
  readonly mode: ErrorMode
}

/** Drops the records for which any condition is true. */
export function createFilter(context: ComponentContext<FilterConfig>): Mapper {
  const { config } = context
  const rules = rulesOf(config, () => context.clock.now())
  const labels = { processor: context.id, pipeline: context.pipeline ?? '' }
  const filtered = context.meter.createCounter('otelcol_processor_filter_logs_filtered', {
    description: 'Log records that the filter dropped.',
  })
  const errors = context.meter.createCounter('tocsin_filter_errors', {
    description: 'Conditions that could not be told for a record.',
  })
  const log = (error: Error, expression: string): void =>
    context.oncePerMinute.warn('A filter condition could not be told for a record.', {
      expression,
      error: error.message,
    })
  let failed = 0
  const onError = (error: TocsinError, { text, mode }: Rule): void => {
    failed++
    if (mode === 'propagate') throw error
    if (mode === 'ignore') log(error, text)
  }
  return {
    explain: record => rules.flatMap(rule => finding(rule, record)),
    process(records: Records): Records {
      let kept: Records
      failed = 0
      try {
        kept = records.filter(record => !matchesAny(rules, record, onError))
      } finally {
        if (failed > 0) errors.add(failed, labels)
      }
      const dropped = records.length - kept.length
      if (dropped === 0) return records
      filtered.add(dropped, labels)
      return kept
    },
  }
}

function rulesOf(config: FilterConfig, now: () => bigint): Rule[] {
  const rule = (text: string, mode: ErrorMode, context: 'log' | 'resource' | 'scope' = 'log'): Rule => ({
    text,
    mode,
    condition: compileCondition(text, { now, context }),
  })
  return [...config.log_conditions, ...(config.logs?.log_record ?? [])].flatMap(entry =>
    typeof entry === 'string'
      ? [rule(entry, config.error_mode)]
      : entry.conditions.map(text => rule(text, entry.error_mode ?? config.error_mode, entry.context)),
  )
}

function finding({ text, condition }: Rule, record: LogRecord): Finding[] {
  const part = `condition ${text}`
  try {
    return condition.test(record) ? [{ kind: 'matches', part, why: 'it drops the record' }] : []
  } catch (error) {
    return [{ kind: 'nearly', part, why: `it cannot be told: ${errorText(error)}` }]
  }
}

function matchesAny(
  rules: readonly Rule[],
  record: LogRecord,
  onError: (error: TocsinError, rule: Rule) => void,
): boolean {
  for (const rule of rules) {
    try {
      if (rule.condition.test(record)) return true
    } catch (error) {
      if (!isTocsinError(error)) throw error
      onError(error, rule)
    }
  }
  return false
}
