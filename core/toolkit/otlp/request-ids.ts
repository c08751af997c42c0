import { createHash, hash } from 'node:crypto'
import type { Steps } from '../../component/in-slices.js'

/** Ids for the records of a request by their index: a hash of its bytes, computed when the first is asked for. */
export function requestIds(bytes: Uint8Array): (index: number) => string {
  let digest: string | undefined
  return index => {
    digest ??= hash('sha256', bytes, 'base64url').slice(0, 24)
    return `${digest}/${index}`
  }
}

const HASHED_BYTES = 1024 * 1024

/** The same, hashed in steps where that takes long. */
export function* requestIdSteps(bytes: Uint8Array): Steps<(index: number) => string> {
  if (bytes.length <= 4 * HASHED_BYTES) return requestIds(bytes)
  const sha256 = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_BYTES) {
    sha256.update(bytes.subarray(at, at + HASHED_BYTES))
    yield
  }
  const digest = sha256.digest('base64url').slice(0, 24)
  return index => `${digest}/${index}`
}
