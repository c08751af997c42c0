import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether a password is the user's, compared in constant time. */
export type Verify = (password: string) => boolean

export interface Htpasswd {
  readonly users: ReadonlyMap<string, Verify>
  readonly faults: readonly { readonly line: number; readonly message: string }[]
}

/**
 * Lines of `user:password`; the password in plain text, as `{SHA}` or as `{SSHA}`. bcrypt, MD5 and crypt would cost
 * milliseconds of the event loop for each request: they are refused with a fault.
 */
export function parseHtpasswd(text: string): Htpasswd {
  const users = new Map<string, Verify>()
  const faults: { line: number; message: string }[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const found = colon > 0 ? verifyOf(line.slice(colon + 1)) : 'not of the form user:password'
    if (typeof found === 'string') faults.push({ line: index + 1, message: found })
    else users.set(line.slice(0, colon), found)
  }
  return { users, faults }
}

const SHA1_BYTES = 20
const NO_HASH = 'the hash is cut off: {SHA} and {SSHA} are followed by base64 of 20 bytes or more'

function verifyOf(stored: string): Verify | string {
  if (/^\$(?:2[aby]|apr1|1|5|6)\$/.test(stored))
    return 'this kind of hash is not supported: use {SHA}, {SSHA} (htpasswd -s), or the password itself'
  if (stored.startsWith('{SHA}')) {
    const hash = Buffer.from(stored.slice(5), 'base64')
    if (hash.length !== SHA1_BYTES) return NO_HASH
    return password => same(hash, sha1(password))
  }
  if (stored.startsWith('{SSHA}')) {
    const bytes = Buffer.from(stored.slice(6), 'base64')
    if (bytes.length < SHA1_BYTES) return NO_HASH
    const salt = bytes.subarray(SHA1_BYTES)
    return password => same(bytes.subarray(0, SHA1_BYTES), sha1(password, salt))
  }
  const wanted = sha256(stored)
  return password => same(wanted, sha256(password))
}

function sha1(password: string, salt = Buffer.alloc(0)): Buffer {
  return createHash('sha1').update(password).update(salt).digest()
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
