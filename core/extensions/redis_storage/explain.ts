import { RetryableError } from 'tocsin/component'
import { CONNECTION_LOST } from '#state'

const REPLIES: readonly (readonly [RegExp, string, string])[] = [
  [
    /^WRONGPASS|invalid username-password/,
    'redis_authentication',
    'refused the credentials: check username and password',
  ],
  [
    /^NOAUTH|HELLO must be called/,
    'redis_authentication',
    'wants a password: set password (and username, if it has ACL users)',
  ],
  [
    /without any password configured/,
    'redis_authentication',
    'has no password set, but the configuration has one: remove password',
  ],
  [
    /^NOPERM|can't run this command/,
    'redis_authorization',
    'does not let this user do that: grant it what the README of redis_storage lists',
  ],
  [/^MISCONF/, 'redis_unwritable', 'stopped writing because it cannot save to its disk'],
  [/^OOM/, 'redis_out_of_memory', 'is out of memory: raise maxmemory'],
  [
    /^READONLY/,
    'redis_read_only',
    'is a replica that cannot be written: name the master, or use mode sentinel or cluster',
  ],
  [/^LOADING/, 'redis_loading', 'is loading its data'],
  [/^CLUSTERDOWN/, 'redis_cluster_down', 'says that the cluster is down'],
  [/^CROSSSLOT|cluster mode|^MOVED/, 'redis_is_cluster', 'is part of a cluster: set mode: cluster'],
  [/cluster support disabled/, 'redis_no_cluster', 'is no cluster: set mode: single'],
  [/invalid DB index|DB index is out of range/, 'redis_database', 'has no database of that number: check db'],
  [
    /sentinels? (?:are )?unreachable|All sentinels/i,
    'redis_unreachable',
    'cannot be found: no sentinel answered, or none knows master_name',
  ],
]

const CODES: { readonly [code: string]: string } = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'cut the connection (does one side use TLS and the other not?)',
  ENOTFOUND: 'is a host name that does not resolve',
  EAI_AGAIN: 'is a host name that does not resolve now',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  EPROTO: 'does not speak TLS: remove the tls block, or check the port',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS: remove the tls block, or check the port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS: remove the tls block, or check the port',
  CERT_HAS_EXPIRED: 'has a TLS certificate that has expired',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'has a TLS certificate for another name: check the endpoint or tls.server_name_override',
}

/** A server without TLS waits for the rest of what it takes for a command. */
const SILENT = 'did not answer in time (does that port speak TLS?)'
const UNTRUSTED = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/

/** What we talk to, and how. */
export interface Peer {
  readonly where: string
  readonly tls: boolean
  readonly cluster: boolean
}

/**
 * What went wrong with Redis, for people. The error of the client is not kept as a cause:
 * it may hold the command with its arguments, a password among them.
 */
export function explain(error: unknown, { where, tls, cluster }: Peer): RetryableError {
  const { message, code } = root(error)
  for (const [pattern, name, text] of REPLIES) {
    if (name === 'redis_is_cluster' && cluster) continue
    if (pattern.test(message))
      return new RetryableError(name, `Redis at ${where} ${text} (${firstWord(message)}).`)
  }
  if (UNTRUSTED.test(code)) {
    const text = 'has a TLS certificate that is not trusted: set tls.ca_file'
    return new RetryableError('redis_tls', `Redis at ${where} ${text} (${code}).`)
  }
  if (/certificate required|handshake failure|bad certificate/i.test(message)) {
    const text = 'wants a client certificate: set tls.cert_file and tls.key_file'
    return new RetryableError('redis_tls', `Redis at ${where} ${text} (${code}).`)
  }
  const known = code === 'ETIMEDOUT' && tls ? SILENT : CODES[code]
  if (known) {
    const name = /SSL|TLS|CERT|EPROTO/.test(code) ? 'redis_tls' : 'redis_unreachable'
    return new RetryableError(name, `Redis at ${where} ${known} (${code}).`)
  }
  if (
    /isn't writeable|Connection is closed|max retries|None of startup nodes|Failed to refresh/i.test(message)
  ) {
    return notConnected(where)
  }
  return new RetryableError('redis_failed', `Redis at ${where}: ${message.slice(0, 200)}`)
}

/** The same for a command: it may have been done when it was sent before its connection broke. */
export function explainCommand(error: unknown, peer: Peer): RetryableError {
  const explained = explain(error, peer)
  return isCut(error) ? new RetryableError(CONNECTION_LOST, explained.message) : explained
}

/** A connection ended that there was: nobody refuses another one. */
export function isCut(error: unknown): boolean {
  if (/isn't writeable|Connection is closed|max retries/i.test((error as Error).message ?? '')) return true
  return ['ECONNRESET', 'EPIPE'].includes(root(error).code)
}

/** It was written to a replica. */
export function isReadOnly(error: unknown): boolean {
  return root(error).message.startsWith('READONLY')
}

export function notConnected(where: string): RetryableError {
  return new RetryableError('redis_unreachable', `Redis at ${where} is not connected.`)
}

/** The client wraps errors: of a cluster's nodes, of a pipeline's connection. */
function root(error: unknown): { message: string; code: string } {
  let at = error as {
    message?: string
    code?: string
    lastNodeError?: unknown
    previousErrors?: unknown[]
    cause?: unknown
  }
  for (let depth = 0; depth < 5; depth++) {
    const inner = at?.lastNodeError ?? at?.previousErrors?.find(Boolean) ?? at?.cause
    if (inner === undefined || inner === null) break
    at = inner as typeof at
  }
  const message = String(at?.message ?? at)
    .replace(/^Too many Cluster redirections. Last error: (?:\w*Error: )?/, '')
    .replace(IN_SCRIPT, '')
  return { message, code: String(at?.code ?? '') }
}

/** Redis 6 puts the error of a command in a script behind where in the script it was. */
const IN_SCRIPT = /^ERR Error running script .*?-?(?=(?:READONLY|OOM|MISCONF|NOPERM|LOADING|CLUSTERDOWN) )/s

function firstWord(message: string): string {
  return (/^[A-Z]+(?= )/.exec(message)?.[0] ?? message.slice(0, 100)).trim()
}
