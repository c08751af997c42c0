/**
 * What the storage extensions and the partitioned streams of this repository stand on: leases, Redis scripts,
 * partitions, the local copy of an outage. Not exported from the package: third parties implement `StateStore`.
 */
export { LeaseKeeper, type LeaseKeeperOptions, type LeaseTerm } from './lease/lease-keeper.js'
export { leaseLost } from './lease/lease-lost.js'
export { observeLease } from './lease/observe-lease.js'
export type { HeldState } from './local-copy.js'
export {
  CONNECTION_LOST,
  type OutageCopyOptions,
  STATE_LOST,
  type StateWithOutageCopy,
  withOutageCopy,
} from './outage-copy.js'
export { partitionedState, partMaxKeys, partOf } from './partitioned.js'
export { type RedisCommands, type RedisExtension, type RedisScript, redisScript } from './redis/commands.js'
export { LEASE_KEY_SUFFIX, redisLease } from './redis/lease.js'
export {
  agreeOnPartitions,
  ENTRIES_SUFFIX,
  type PartitionedStream,
  partitionedStream,
  STREAM_FIELD,
  streamProperties,
} from './redis/stream.js'
export type { JournaledOutcome, JournalRead, RemoteState } from './reunion.js'
export { type Forgotten, type JournalRow, StateIndex } from './state-index.js'
