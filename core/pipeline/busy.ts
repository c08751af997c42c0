import type { Busy } from '../component/index.js'

export const STOPPING: Busy = { busy: true, retryAfterMs: 1_000, reason: 'stopping' }
export const PIPELINE_FULL: Busy = { busy: true, retryAfterMs: 1_000, reason: 'pipeline_full' }
export const TOO_MANY_UNSETTLED: Busy = { busy: true, retryAfterMs: 1_000, reason: 'too_many_unsettled' }
