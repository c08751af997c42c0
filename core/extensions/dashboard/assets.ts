import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { WebAnswer, WebRequest } from 'tocsin/http'

const TYPES: { readonly [ending: string]: string } = {
  html: 'text/html',
  js: 'text/javascript',
}

/** Hashes of what the build put into the page, as sources of a policy. */
interface Inline {
  readonly script: readonly string[]
  readonly style: readonly string[]
}

/** Nothing but what comes from here; in the page only what the build put there; nobody may frame it. */
function policyOf({ script, style }: Inline): string {
  return [
    "default-src 'none'",
    `script-src ${["'self'", ...script].join(' ')}`,
    `style-src ${style.join(' ') || "'none'"}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Below the package, where the build puts the page: the same from the bundle and from the modules. */
export function pageFolder(): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('tocsin/package.json')), 'dist/page')
}

/** The files of the page, in memory: they are few and small. */
export interface Assets {
  /** For `open` of the server: they hold nothing of anybody's. */
  readonly paths: readonly string[]
  /** Undefined for any other path. */
  answer(request: WebRequest): WebAnswer | undefined
}

/** Undefined when the page was not built. */
export async function loadAssets(folder: string): Promise<Assets | undefined> {
  const names = await readdir(folder).catch((): string[] => [])
  if (!names.includes('index.html')) return undefined
  const files = new Map<string, Asset>()
  const policy = policyOf(JSON.parse(await readFile(join(folder, 'inline.json'), 'utf8')))
  for (const name of names.filter(each => !each.endsWith('.gz'))) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
    if (type === undefined) continue
    const [plain, packed] = await Promise.all([
      readFile(join(folder, name)),
      readFile(join(folder, `${name}.gz`)),
    ])
    files.set(name === 'index.html' ? '/' : `/${name}`, new Asset(name, type, policy, plain, packed))
  }
  return { paths: [...files.keys()], answer: request => files.get(request.path)?.answer(request) }
}

class Asset {
  readonly #headers: { readonly [name: string]: string }
  readonly #etag: string

  constructor(
    name: string,
    private readonly type: string,
    policy: string,
    private readonly plain: Buffer,
    private readonly packed: Buffer,
  ) {
    this.#etag = `"${createHash('sha256').update(plain).digest('hex').slice(0, 32)}"`
    this.#headers = {
      // The others carry the hash of their content in their name.
      'cache-control': name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
      'content-security-policy': policy,
      'cross-origin-resource-policy': 'same-origin',
      etag: this.#etag,
      vary: 'accept-encoding',
    }
  }

  answer({ method, headers }: WebRequest): WebAnswer {
    if (method !== 'GET' && method !== 'HEAD') return { code: 405, headers: { allow: 'GET, HEAD' }, body: '' }
    const contentType = this.type
    if (headers['if-none-match']?.includes(this.#etag))
      return { code: 304, headers: this.#headers, contentType }
    const packs = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))
    return {
      code: 200,
      contentType,
      headers: { ...this.#headers, ...(packs && { 'content-encoding': 'gzip' }) },
      body: packs ? this.packed : this.plain,
    }
  }
}
