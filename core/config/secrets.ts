export const REDACTED = '[REDACTED]'

/** Names of keys, variables and files whose values are secret even where a schema does not say so. */
const SECRET_NAME =
  /(^|[_\-./])(password|passwd|pass|passphrase|secret|token|credentials?|api_?key|apikey|private_?key|authorization|cookie|bearer)\d*$/i

/** Maps of header values are secret as a whole: any of them may carry credentials. */
const SECRET_MAP = /^(headers|http_headers|metadata)$/

const SECRET_PARAMETER = /token|secret|password|passwd|key|auth|credential|signature|^sig$/i

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

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
