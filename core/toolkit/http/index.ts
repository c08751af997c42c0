/** HTTP and TLS for components: a sender whose answers say what to do next, certificates that are renewed, authentication. */

export { secretsIn } from '../../component/secret-text.js'
export { type AuthConfig, authenticatorOf, authSchema } from './authenticator.js'
export type { HttpHeaders } from './dispatch.js'
export { describeUrl, redact, secretsOf } from './redact.js'
export {
  checkHeaders,
  createHttpSender,
  type HttpAnswer,
  type HttpRequest,
  type HttpSender,
  type HttpSenderOptions,
  headersSchema,
  sentOf,
} from './sender.js'
export { type GetAnswer, type GetServerOptions, serveGets } from './serve-gets.js'
export { serveRequests, type WebAnswer, type WebRequest, type WebServerOptions } from './serve-requests.js'
export {
  checkTls,
  type TlsClientConfig,
  type TlsConnectOptions,
  tlsConnectOptions,
  tlsSchema,
} from './tls.js'
export {
  checkServerTls,
  openServerTls,
  type ServerTls,
  type TlsServerConfig,
  type TlsServerOptions,
  tlsServerSchema,
} from './tls-server.js'
export { openTlsSource, type TlsSource, type TlsSourceContext } from './tls-source.js'
