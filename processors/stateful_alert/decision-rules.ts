import { type DecisionRule, nsToMs } from 'tocsin/component'
import { formatAlertSchema } from './alert-schema.js'
import type { Rule } from './rule.js'

/** The rows for tools. `location`: of the table, where they are in one. */
export function decisionRules(rules: readonly Rule[], location: string | undefined): readonly DecisionRule[] {
  return rules.map(({ id, line, text, schema }) => ({
    id,
    ...(text.ruleId !== undefined && { ruleId: text.ruleId }),
    name: text.message || text.pattern,
    severity: text.severity,
    line,
    ...(location !== undefined && { file: location }),
    ...(schema.mode === 'threshold' && { count: schema.count, windowMs: nsToMs(schema.windowNs) }),
  }))
}

/** What records do not say of their row. */
export function written({ recovery, schema }: Rule): { readonly [column: string]: string } {
  return { recovery_pattern: recovery, alert_schema: formatAlertSchema(schema) }
}
