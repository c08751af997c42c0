import { span, t } from './text.js'

/** What `immediate[,E]` and `threshold,N,T,M,W[,E]` mean; `recovers`: the row has a recovery pattern. */
export function sayAlertSchema(schema: string, recovers: boolean): string {
  const [mode, ...given] = schema.split(',')
  const numbers = given.map(Number)
  const [n = 1, window = 0, m = 1, recoveryWindow = 0, expire = 0] =
    mode === 'threshold' ? numbers : [1, 0, 1, 0, ...numbers]
  const seconds = (value: number): string => span(value * 1_000)
  return [
    t(n === 1 ? 'schema.fires_first' : 'schema.fires', { n, span: seconds(window) }),
    recovers &&
      t(m === 1 ? 'schema.recovers_first' : 'schema.recovers', { n: m, span: seconds(recoveryWindow) }),
    expire > 0 && t('schema.expires', { span: seconds(expire) }),
  ]
    .filter(Boolean)
    .join(' ')
}
