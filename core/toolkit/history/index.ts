/**
 * What an alert history keeps, and what is asked of it: the words that the `alert_history` extension and those who show it
 * share. Only for components of this repository.
 */
export type * from './alert-history.js'
export type * from './entries.js'
export { fingerprint } from './fingerprint.js'
export { checkMatcher, compileMatchers, matchesEmpty } from './matchers.js'
