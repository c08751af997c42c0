import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { Clock, Logger } from '../../component/context.js'
import { errorText, PermanentError } from '../../component/errors.js'
import type { CheckProblem } from '../../component/factory.js'
import type { ConfigSchema } from '../../component/schema.js'
import { durationMs } from '../../component/units.js'
import { SECURE_VERSION, type TlsVersion } from './tls.js'

/** The Collector's server TLS block (configtls), as far as we know it. */
export interface TlsServerConfig {
  readonly cert_file?: string
  readonly cert_pem?: string
  readonly key_file?: string
  readonly key_pem?: string
  readonly client_ca_file?: string
  readonly min_version?: TlsVersion
  readonly max_version?: TlsVersion
  readonly reload_interval: string
}

/** What https.createServer, http2.createSecureServer and their setSecureContext take. */
export interface TlsServerOptions {
  readonly cert: string
  readonly key: string
  readonly ca?: string
  /** With `client_ca_file` a client has to have a certificate of that authority. */
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly minVersion: SecureVersion
  readonly maxVersion?: SecureVersion
}

const VERSIONS = Object.keys(SECURE_VERSION)

/** The Collector's server TLS block, for a configuration. */
export const tlsServerSchema: ConfigSchema = {
  type: 'object',
  description: 'TLS of the server, with the keys of the Collector.',
  additionalProperties: false,
  properties: {
    cert_file: { type: 'string', description: 'Our certificate and its chain (PEM).' },
    cert_pem: { type: 'string', description: 'The same, inline.' },
    key_file: { type: 'string', description: 'The key (PEM) of the certificate.' },
    key_pem: { type: 'string', secret: true, description: 'The same, inline.' },
    client_ca_file: {
      type: 'string',
      description: 'Authorities (PEM): a client needs a certificate of one of them (mutual TLS).',
    },
    min_version: { enum: VERSIONS, description: 'The lowest TLS version: 1.2 when not set.' },
    max_version: { enum: VERSIONS, description: 'The highest TLS version: no limit when not set.' },
    reload_interval: {
      type: 'string',
      format: 'duration',
      default: '1m',
      description: 'How often the files are read again, for renewed certificates; 0 for never.',
    },
  },
  synonyms: { cert: 'cert_file', key: 'key_file', ca_file: 'client_ca_file', client_ca: 'client_ca_file' },
}

/** What the schema cannot say. `path` is where the block stands in the component's configuration. */
export function checkServerTls(
  config: TlsServerConfig | undefined,
  path: CheckProblem['path'],
): CheckProblem[] {
  if (!config) return []
  const problems: CheckProblem[] = []
  for (const name of ['cert', 'key'] as const) {
    const [file, pem] = [config[`${name}_file`], config[`${name}_pem`]]
    if (file !== undefined && pem !== undefined) {
      const message = `${name}_file and ${name}_pem are both set`
      problems.push({ path: [...path, `${name}_pem`], message, fix: 'keep one of them' })
    }
    if (file === undefined && pem === undefined)
      problems.push({ path, message: `a TLS server needs a ${name}`, fix: `add ${name}_file` })
  }
  if (config.min_version && config.max_version && config.min_version > config.max_version)
    problems.push({ path: [...path, 'max_version'], message: 'max_version is below min_version' })
  return problems
}

/** Certificates of a server, renewed when their files are. */
export interface ServerTls {
  readonly options: TlsServerOptions
  /** Calls `renew` with the options whenever the files have changed, until `stop`. */
  watch(renew: (options: TlsServerOptions) => void): void
  stop(): void
}

/** Reads the files of a server's `tls` block; relative paths start from `baseDir`. Throws `tls_unusable`. */
export async function openServerTls(
  config: TlsServerConfig,
  { baseDir, clock, logger }: { readonly baseDir: string; readonly clock: Clock; readonly logger: Logger },
): Promise<ServerTls> {
  const intervalMs = durationMs(config.reload_interval)
  const options = await readOptions(config, baseDir)
  let current = options
  let failing = false
  let cancel = (): void => {}
  let stopped = false
  const look = async (renew: (options: TlsServerOptions) => void): Promise<void> => {
    try {
      const next = await readOptions(config, baseDir)
      if (!stopped && !isDeepStrictEqual(next, current)) {
        renew(next)
        current = next
        logger.info('The certificate files have changed: new connections get the new certificate.')
      }
      failing = false
    } catch (error) {
      if (!failing) logger.warn('The certificate in use stays in force.', { reason: errorText(error) })
      failing = true
    }
    if (!stopped) cancel = clock.schedule(intervalMs, () => void look(renew))
  }
  return {
    options,
    watch: renew => {
      if (intervalMs > 0) cancel = clock.schedule(intervalMs, () => void look(renew))
    },
    stop: () => {
      stopped = true
      cancel()
    },
  }
}

async function readOptions(config: TlsServerConfig, baseDir: string): Promise<TlsServerOptions> {
  const read = async (name: string, file: string | undefined, pem: string | undefined) => {
    if (file === undefined) return pem
    try {
      return await readFile(resolve(baseDir, file), 'utf8')
    } catch (error) {
      throw new PermanentError('tls_unusable', `The ${name} ${file} cannot be read: ${errorText(error)}`)
    }
  }
  const [cert, key, ca] = await Promise.all([
    read('cert_file', config.cert_file, config.cert_pem),
    read('key_file', config.key_file, config.key_pem),
    read('client_ca_file', config.client_ca_file, undefined),
  ])
  const options: TlsServerOptions = {
    cert: cert ?? '',
    key: key ?? '',
    ...(ca !== undefined && { ca }),
    requestCert: ca !== undefined,
    rejectUnauthorized: ca !== undefined,
    minVersion: SECURE_VERSION[config.min_version ?? '1.2'],
    ...(config.max_version && { maxVersion: SECURE_VERSION[config.max_version] }),
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new PermanentError('tls_unusable', `The certificate and key do not work: ${errorText(error)}`)
  }
  return options
}
