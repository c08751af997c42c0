/** For logs: without user, password and query; with `secretPath` (the path is the secret) only the origin. */
export function describeUrl(url: URL, secretPath = false): string {
  return secretPath || url.pathname === '/' ? url.origin : url.origin + url.pathname
}

const HIDDEN = '[REDACTED]'
/** Shorter words are too likely to stand in a text for another reason. */
const MIN_SECRET = 4

/** Replaces the secrets in a text from outside: servers like to repeat what they were sent. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, HIDDEN), text)
}

/** What must not be shown of a URL and of the headers sent to it, longest first. */
export function secretsOf(
  url: URL,
  headers: { readonly [name: string]: string },
  secretPath: boolean,
): string[] {
  const parts = [
    decoded(url.username),
    decoded(url.password),
    url.search.slice(1),
    ...url.searchParams.values(),
    ...(secretPath ? [url.pathname, ...url.pathname.split('/')] : []),
    // `Bearer TOKEN` is hidden whole and in its words.
    ...Object.entries(headers).flatMap(([name, value]) =>
      /^(content-type|user-agent|accept)$/i.test(name) ? [] : [value, ...value.split(' ')],
    ),
  ]
  const secrets = parts.filter(part => part.length >= MIN_SECRET && !/^(basic|bearer|hooks)$/i.test(part))
  return [...new Set(secrets)].sort((a, b) => b.length - a.length)
}

/** Percent-encoded text; as it is where it is not well encoded, such as a password with a bare `%`. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
