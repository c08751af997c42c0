/** Names of keys, variables and files whose values are secret even where a schema does not say so. */
const SECRET_NAME =
  /(^|[_\-./])(password|passwd|pass|passphrase|secret|token|credential|(api|access|account|app|integration|private|routing|secret|service|user)_?key|authorization|cookie|bearer)s?\d*$/i

/** Whether a key, variable or file of this name holds a secret: `client_secret`, `X-Api-Key`, `DB_PASSWORD`. */
export function isSecretName(name: string): boolean {
  // `clientSecret` is client_secret, and `X-Api-Key` is api_key.
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').replace(/-(?=key)/i, '_')
  return SECRET_NAME.test(words) || SECRET_NAME.test(name)
}

const ASSIGNMENT =
  /(["']?)([\w.-]{1,100})\1\s{0,10}[:=]\s{0,10}(?:"([^"{}\n]{4,})"|'([^'{}\n]{4,})'|([^\s"'{}&,;<>]{4,}))/g

/** What a text such as a template of JSON or of a form gives to names of secrets: `"token": "..."`, `api_key=...`. */
export function secretsIn(text: string): string[] {
  const found = [...text.matchAll(ASSIGNMENT)].flatMap(([, , name = '', ...values]) => {
    const value = values.find(one => one !== undefined)
    return value !== undefined && isSecretName(name) ? [value] : []
  })
  return [...new Set(found)].sort((a, b) => b.length - a.length)
}
