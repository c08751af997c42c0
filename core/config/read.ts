import { errorText } from '../component/index.js'
import { type ConfigEnvironment, MAX_DOCUMENT_BYTES } from './environment.js'
import { redactUrl } from './secrets.js'

/** A text, or why there is none. The reason names no secret. */
export type ReadText = { readonly text: string } | { readonly reason: string; readonly fix: string }

export async function readDocument(path: string, environment: ConfigEnvironment): Promise<ReadText> {
  let text: string
  try {
    text = await environment.readFile(path)
  } catch (error) {
    return { ...fileReason((error as NodeJS.ErrnoException).code, error), fix: `looked for ${path}` }
  }
  if (text.length > MAX_DOCUMENT_BYTES)
    return { reason: 'the file is larger than 4 MiB', fix: 'is it the right file?' }
  // As Notepad and PowerShell's `>` write it.
  if (text.slice(0, 4).includes('\0'))
    return { reason: 'the file is no UTF-8 text, but UTF-16 or binary', fix: 'save it as UTF-8' }
  return { text: text.startsWith('\uFEFF') ? text.slice(1) : text }
}

export async function fetchDocument(url: string, environment: ConfigEnvironment): Promise<ReadText> {
  const fix = 'check the address and that the server is up'
  try {
    const { status, body } = await environment.fetch(url)
    if (status >= 200 && status < 300) return { text: body }
    return { reason: `${redactUrl(url)} answered with HTTP status ${status}`, fix }
  } catch (error) {
    const timeout = (error as Error)?.name === 'TimeoutError'
    const why = timeout ? 'no answer within 10 seconds' : errorText(error)
    return { reason: `${redactUrl(url)} could not be read: ${why}`, fix }
  }
}

function fileReason(code: string | undefined, error: unknown): { reason: string } {
  switch (code) {
    case 'ENOENT':
      return { reason: 'the file does not exist' }
    case 'EISDIR':
      return { reason: 'this is a folder, not a file' }
    case 'EACCES':
    case 'EPERM':
      return { reason: 'no permission to read the file' }
    default:
      return { reason: `the file could not be read: ${errorText(error)}` }
  }
}
