import type { ConfigSchema } from '../component/index.js'
import { isSecretName, secretsIn } from '../component/secret-text.js'

export { isSecretName }

export const REDACTED = '[REDACTED]'

/** Maps of header values are secret as a whole: any of them may carry credentials. */
const SECRET_MAP = /^(headers|http_headers|metadata)$/

const SECRET_PARAMETER = /token|secret|password|passwd|key|auth|credential|signature|^sig$/i

/** Files under a folder such as /run/secrets, and files that are named like a secret. */
export function isSecretFile(path: string): boolean {
  return /secret/i.test(path) || isSecretName(path.replace(/\.\w+$/, ''))
}

export function isSecretMap(name: string): boolean {
  return SECRET_MAP.test(name)
}

/** User, password and token-like parameters of the URLs in a text. */
export function redactUrl(text: string): string {
  if (!text.includes('://')) return text
  return text
    .replace(/(:\/\/)[^/?#\s"'<>]*@/g, `$1${REDACTED}@`)
    .replace(/([?&])([^=&#\s"'<>]+)=([^&#\s"'<>]*)/g, (all, mark: string, name: string) =>
      SECRET_PARAMETER.test(name) ? `${mark}${name}=${REDACTED}` : all,
    )
}

/** For a text that should be an address and is none: whatever stands before an "@" may be a password. */
export function redactBadUrl(text: string): string {
  const shown = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, `$1${REDACTED}@`)
  return redactUrl(shown.includes('://') ? shown : `://${shown}`).replace(/^:\/\//, '')
}

/** A URL whose path is a secret, as that of a chat's webhook: only scheme and host are left. */
export function redactUrlPath(text: string): string {
  const shown = redactBadUrl(text)
  const [scheme = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?/i.exec(shown) ?? []
  const path = shown.slice(scheme.length).search(/[/?#]./s)
  return path < 0 ? shown : `${shown.slice(0, scheme.length + path)}/${REDACTED}`
}

/** A text without the secrets that are written in it, such as `"token": "..."` in a template. */
export function redactText(text: string, hidden: (secret: string) => string = () => REDACTED): string {
  return secretsIn(text).reduce((shown, secret) => shown.replaceAll(secret, hidden(secret)), redactUrl(text))
}

/** Whether a secret belongs somewhere below: what stands in the place of it all may be that secret. */
export function holdsSecrets(schema: ConfigSchema): boolean {
  const known = HOLDS_SECRETS.get(schema)
  if (known !== undefined) return known
  const found = mayHoldSecrets(schema)
  HOLDS_SECRETS.set(schema, found)
  return found
}

/** A schema never changes, and is asked for each value of a list. */
const HOLDS_SECRETS = new WeakMap<ConfigSchema, boolean>()

function mayHoldSecrets(schema: ConfigSchema): boolean {
  const { properties = {}, additionalProperties, items, anyOf = [] } = schema
  return (
    schema.secret !== undefined ||
    Object.entries(properties).some(
      ([name, property]) =>
        isSecretName(name) || isSecretMap(name) || /auth/i.test(name) || holdsSecrets(property),
    ) ||
    (typeof additionalProperties === 'object' && holdsSecrets(additionalProperties)) ||
    (items !== undefined && holdsSecrets(items)) ||
    anyOf.some(holdsSecrets)
  )
}
