import { gapOptions, type VictoriaLogsConfig } from './config.js'
import { type NotWords, readWordQuery, type WordQuery } from './word-query.js'

/** Why a receiver has a tail of its own. */
export type NotShared = 'off' | 'no_reconcile' | NotWords

/** For people: ends "it has a tail of its own: ...". */
export const NOT_SHARED: { readonly [reason in NotShared]: string } = {
  off: 'share_tail is off',
  no_reconcile: 'reconcile is off, which brings what a shared tail leaves out',
  pipe: 'its query has a pipe',
  not_ascii: 'its query has characters beyond ASCII',
  every_line: 'its query has no word',
  stream_inside: 'its stream filter does not stand alone at the start',
  keyword: 'its query has a word that may be a keyword: put it into quotes',
  number_like: 'its query has a word that may be a number',
  other_filter: 'its query has more than words and phrases',
}

/** The query when its tail can be shared, else why not. */
export function sharedQuery(config: VictoriaLogsConfig): WordQuery | NotShared {
  if (!config.share_tail) return 'off'
  if (gapOptions(config).reconcileMs === undefined) return 'no_reconcile'
  return readWordQuery(config.query)
}
