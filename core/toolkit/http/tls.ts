import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { rootCertificates, type SecureVersion } from 'node:tls'
import { errorText, PermanentError } from '../../component/errors.js'
import type { CheckProblem } from '../../component/factory.js'
import type { ConfigSchema } from '../../component/schema.js'

/** The Collector's client TLS block (configtls), as far as we know it. */
export interface TlsClientConfig {
  readonly insecure?: boolean
  readonly insecure_skip_verify?: boolean
  readonly server_name_override?: string
  readonly min_version?: TlsVersion
  readonly max_version?: TlsVersion
  readonly include_system_ca_certs_pool?: boolean
  readonly ca_file?: string
  readonly ca_pem?: string
  readonly cert_file?: string
  readonly cert_pem?: string
  readonly key_file?: string
  readonly key_pem?: string
}

export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3'

/** What `tls.connect`, undici's `connect` option and ioredis' `tls` take. */
export interface TlsConnectOptions {
  readonly minVersion: SecureVersion
  readonly maxVersion?: SecureVersion
  readonly rejectUnauthorized: boolean
  readonly servername?: string
  readonly ca?: string[]
  readonly cert?: string
  readonly key?: string
}

export const SECURE_VERSION = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
} as const
const VERSIONS = Object.keys(SECURE_VERSION)

/** The schema of a `tls` key. */
export const tlsSchema: ConfigSchema = {
  type: 'object',
  description: 'TLS of the connection, with the keys of the Collector.',
  additionalProperties: false,
  properties: {
    insecure: {
      type: 'boolean',
      description: 'No TLS. For HTTP the scheme of the endpoint decides, whatever this says.',
    },
    insecure_skip_verify: { type: 'boolean', description: "Does not verify the server's certificate." },
    server_name_override: {
      type: 'string',
      description: 'The name to ask for (SNI) and to verify, instead of the host of the endpoint.',
    },
    min_version: { enum: VERSIONS, description: 'The lowest TLS version: 1.2 when not set.' },
    max_version: { enum: VERSIONS, description: 'The highest TLS version: no limit when not set.' },
    ca_file: { type: 'string', description: 'Certificates (PEM) of the authorities to trust.' },
    ca_pem: { type: 'string', description: 'The same, inline.' },
    include_system_ca_certs_pool: {
      type: 'boolean',
      description: "Trusts Node's built-in authorities besides those of ca_file.",
    },
    cert_file: { type: 'string', description: 'Our certificate (PEM), for mutual TLS.' },
    cert_pem: { type: 'string', description: 'The same, inline.' },
    key_file: { type: 'string', description: 'The key (PEM) of our certificate.' },
    key_pem: { type: 'string', secret: true, description: 'The same, inline.' },
  },
  synonyms: { ca: 'ca_file', cert: 'cert_file', key: 'key_file', verify: 'insecure_skip_verify' },
}

/** What the schema cannot say. `path` is where the block stands in the component's configuration. */
export function checkTls(config: TlsClientConfig | undefined, path: CheckProblem['path']): CheckProblem[] {
  if (!config) return []
  const problems: CheckProblem[] = []
  for (const name of ['ca', 'cert', 'key'] as const) {
    if (config[`${name}_file`] && config[`${name}_pem`]) {
      problems.push({
        path: [...path, `${name}_pem`],
        message: `${name}_file and ${name}_pem are both set`,
        fix: 'keep one of them',
      })
    }
  }
  const cert = config.cert_file ?? config.cert_pem
  const key = config.key_file ?? config.key_pem
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    problems.push({
      path: [...path, `${has}_file`],
      message: `there is a ${has} without a ${lacks}`,
      fix: `add ${lacks}_file`,
    })
  }
  if (config.min_version && config.max_version && config.min_version > config.max_version) {
    problems.push({ path: [...path, 'max_version'], message: 'max_version is below min_version' })
  }
  return problems
}

/**
 * Reads the files of a `tls` block once (`openTlsSource` picks up renewed ones). Relative paths start from `baseDir`.
 * Throws `tls_file_unreadable`.
 */
export async function tlsConnectOptions(
  config: TlsClientConfig | undefined,
  baseDir: string,
): Promise<TlsConnectOptions> {
  const read = async (name: 'ca' | 'cert' | 'key'): Promise<string | undefined> => {
    const file = config?.[`${name}_file`]
    if (file === undefined) return config?.[`${name}_pem`]
    try {
      return await readFile(resolve(baseDir, file), 'utf8')
    } catch (error) {
      throw new PermanentError('tls_file_unreadable', `The ${name}_file ${file}: ${errorText(error)}`)
    }
  }
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')])
  return {
    minVersion: SECURE_VERSION[config?.min_version ?? '1.2'],
    ...(config?.max_version && { maxVersion: SECURE_VERSION[config.max_version] }),
    rejectUnauthorized: config?.insecure_skip_verify !== true,
    ...(config?.server_name_override && { servername: config.server_name_override }),
    ...(ca !== undefined && { ca: config?.include_system_ca_certs_pool ? [...rootCertificates, ca] : [ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
}
