import { access, constants, readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** What the configuration may reach for. */
export interface ConfigEnvironment {
  readonly env: { readonly [name: string]: string | undefined }
  /** Absolute; relative `--config` paths start here. */
  readonly cwd: string
  /** Reads a UTF-8 file by its absolute path; rejects with Node's error. */
  readFile(path: string): Promise<string>
  /** The configuration files of a folder or glob (absolute), in the order of their names; undefined for anything else. */
  filesOf?(path: string): Promise<readonly string[] | undefined>
  /** Whether we may write into a folder, which need not exist. */
  mayWrite?(folder: string): Promise<boolean>
  /** The permissions of a file, such as 0o644; undefined where they say nothing (Windows). */
  modeOf?(path: string): Promise<number | undefined>
  /** Gets a document; rejects on network errors, time-outs and documents over `MAX_DOCUMENT_BYTES`. */
  fetch(url: string): Promise<{ readonly status: number; readonly body: string }>
}

export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
const FETCH_TIMEOUT_MS = 10_000

/** The process's environment, disk and network. */
export function processEnvironment(): ConfigEnvironment {
  return {
    env: process.env,
    cwd: process.cwd(),
    readFile: path => readFile(path, 'utf8'),
    filesOf,
    mayWrite,
    modeOf: async path => (process.platform === 'win32' ? undefined : (await stat(path)).mode & 0o777),
    fetch: fetchDocument,
  }
}

async function filesOf(path: string): Promise<readonly string[] | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found && !found.isDirectory()) return undefined
  const { escapePath, glob, isDynamicPattern } = await import('tinyglobby')
  const pattern = found ? `${escapePath(path)}/*.{yaml,yml}` : path
  if (!isDynamicPattern(pattern)) return undefined
  return (await glob(pattern, { absolute: true, dot: false })).map(file => resolve(file)).sort()
}

async function mayWrite(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK)
    return true
  } catch (error) {
    const parent = dirname(folder)
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== folder && mayWrite(parent)
  }
}

async function fetchDocument(url: string): Promise<{ status: number; body: string }> {
  const { request } = (await import('undici')).default
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)
  const { statusCode, body } = await request(url, {
    headers: credentials(new URL(url)),
    signal,
    headersTimeout: FETCH_TIMEOUT_MS,
    bodyTimeout: FETCH_TIMEOUT_MS,
  })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_DOCUMENT_BYTES) {
      body.destroy()
      throw new Error(`the document is larger than ${MAX_DOCUMENT_BYTES / 1024 / 1024} MiB`)
    }
    chunks.push(chunk)
  }
  return { status: statusCode, body: Buffer.concat(chunks).toString('utf8') }
}

/** User and password of a URL, which undici leaves out. */
function credentials({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}
