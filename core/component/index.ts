/** The contract that components are written against, ours and third parties': `tocsin/component`. */
export { eventIdOf, idempotencyKey } from '../delivery/event-id.js'
export {
  formatSpan,
  type Notification,
  type NotificationOptions,
  notificationOf,
  withNotification,
} from '../delivery/notification.js'
export { type WatchedFile, type WatchedFileOptions, watchFile } from '../files/watched-file.js'
export { type AuthConfig, authenticatorOf, authSchema } from '../http/authenticator.js'
export { describeUrl, redact, secretsOf } from '../http/redact.js'
export {
  checkHeaders,
  createHttpSender,
  type HttpAnswer,
  type HttpHeaders,
  type HttpRequest,
  type HttpSender,
  type HttpSenderOptions,
  headersSchema,
  sentOf,
} from '../http/sender.js'
export { type GetAnswer, type GetServerOptions, serveGets } from '../http/serve-gets.js'
export {
  checkTls,
  type TlsClientConfig,
  type TlsConnectOptions,
  tlsConnectOptions,
  tlsSchema,
} from '../http/tls.js'
export {
  checkServerTls,
  openServerTls,
  type ServerTls,
  type TlsServerConfig,
  type TlsServerOptions,
  tlsServerSchema,
} from '../http/tls-server.js'
export { openTlsSource, type TlsSource, type TlsSourceContext } from '../http/tls-source.js'
export { LeaseKeeper, type LeaseKeeperOptions, type LeaseTerm } from '../lease/lease-keeper.js'
export { observeLease } from '../lease/observe-lease.js'
export * from '../lines/index.js'
export * from '../model/index.js'
export * from '../otlp/index.js'
export * from '../ottl/index.js'
export * from '../pattern/index.js'
export {
  type RedisCommands,
  type RedisExtension,
  type RedisScript,
  redisScript,
} from '../redis/commands.js'
export { LEASE_KEY_SUFFIX, redisLease } from '../redis/lease.js'
export {
  agreeOnPartitions,
  ENTRIES_SUFFIX,
  type PartitionedStream,
  partitionedStream,
  STREAM_FIELD,
  streamProperties,
} from '../redis/stream.js'
export { partitionedState, partMaxKeys, partOf } from '../state/partitioned.js'
export { type ShadowedState, type ShadowOptions, shadowedState } from '../state/shadow.js'
export { StateIndex } from '../state/state-index.js'
export {
  checkTemplate,
  compileTemplate,
  type Template,
  TemplateError,
  type TemplateOptions,
  type TemplateProblem,
  type TemplateView,
  type TemplateViewOptions,
  templateView,
} from '../template/index.js'
export type * from './context.js'
export * from './errors.js'
export type * from './exporter.js'
export type * from './extension.js'
export * from './factory.js'
export * from './in-slices.js'
export type * from './listener.js'
export * from './or-aborted.js'
export type * from './processor.js'
export type * from './receiver.js'
export type * from './schema.js'
export type * from './storage.js'
export * from './units.js'
