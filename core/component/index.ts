/** The contract that components are written against, ours and third parties': `tocsin/component`. */

export * from '../model/index.js'
export { LeaseKeeper, type LeaseKeeperOptions, type LeaseTerm } from '../state/lease/lease-keeper.js'
export { observeLease } from '../state/lease/observe-lease.js'
export { type ShadowedState, type ShadowOptions, shadowedState } from '../state/outage-copy.js'
export { partitionedState, partMaxKeys, partOf } from '../state/partitioned.js'
export {
  type RedisCommands,
  type RedisExtension,
  type RedisScript,
  redisScript,
} from '../state/redis/commands.js'
export { LEASE_KEY_SUFFIX, redisLease } from '../state/redis/lease.js'
export {
  agreeOnPartitions,
  ENTRIES_SUFFIX,
  type PartitionedStream,
  partitionedStream,
  STREAM_FIELD,
  streamProperties,
} from '../state/redis/stream.js'
export { StateIndex } from '../state/state-index.js'
export { type WatchedFile, type WatchedFileOptions, watchFile } from '../toolkit/files/watched-file.js'
export { type AuthConfig, authenticatorOf, authSchema } from '../toolkit/http/authenticator.js'
export { describeUrl, redact, secretsOf } from '../toolkit/http/redact.js'
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
} from '../toolkit/http/sender.js'
export { type GetAnswer, type GetServerOptions, serveGets } from '../toolkit/http/serve-gets.js'
export {
  checkTls,
  type TlsClientConfig,
  type TlsConnectOptions,
  tlsConnectOptions,
  tlsSchema,
} from '../toolkit/http/tls.js'
export {
  checkServerTls,
  openServerTls,
  type ServerTls,
  type TlsServerConfig,
  type TlsServerOptions,
  tlsServerSchema,
} from '../toolkit/http/tls-server.js'
export { openTlsSource, type TlsSource, type TlsSourceContext } from '../toolkit/http/tls-source.js'
export * from '../toolkit/lines/index.js'
export { eventIdOf, idempotencyKey } from '../toolkit/notification/event-id.js'
export {
  formatSpan,
  type Notification,
  type NotificationOptions,
  notificationOf,
  withNotification,
} from '../toolkit/notification/notification.js'
export * from '../toolkit/markdown/index.js'
export * from '../toolkit/otlp/index.js'
export * from '../toolkit/ottl/index.js'
export * from '../toolkit/pattern/index.js'
export {
  checkTemplate,
  compileTemplate,
  engineSchema,
  type Template,
  type TemplateEngine,
  TemplateError,
  type TemplateOptions,
  type TemplateProblem,
  type TemplateView,
  type TemplateViewOptions,
  templateView,
} from '../toolkit/template/index.js'
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
