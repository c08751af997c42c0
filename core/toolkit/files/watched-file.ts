import { readFile } from 'node:fs/promises'
import type { Clock } from '../../component/context.js'
import { errorText, PermanentError } from '../../component/errors.js'

/** How a file is watched, and who hears of it. */
export interface WatchedFileOptions {
  readonly clock: Clock
  /** How often to look; 10 s unless it says so. */
  readonly intervalMs?: number
  /** Takes the text, at first and after each change; a throw leaves the text before in force. */
  readonly take: (text: string) => void
  /** Told once when the file becomes unreadable, or its text does not do. */
  readonly onTrouble: (reason: string) => void
}

/** A file that is looked at until it is stopped. */
export interface WatchedFile {
  stop(): void
}

/** Reads a small text file and keeps an eye on it. Throws `file_unusable` when it cannot be read at first. */
export async function watchFile(path: string, options: WatchedFileOptions): Promise<WatchedFile> {
  const { clock, intervalMs = 10_000, take, onTrouble } = options
  let text = await readFile(path, 'utf8').catch(error => {
    throw new PermanentError('file_unusable', `The file ${path} cannot be read: ${errorText(error)}`)
  })
  take(text)
  let troubled = false
  let stopped = false
  let cancel = (): void => {}
  const look = async (): Promise<void> => {
    try {
      const next = await readFile(path, 'utf8')
      if (next !== text && !stopped) take(next)
      text = next
      troubled = false
    } catch (error) {
      if (!troubled) onTrouble(errorText(error))
      troubled = true
    }
    if (!stopped) cancel = clock.schedule(intervalMs, () => void look())
  }
  cancel = clock.schedule(intervalMs, () => void look())
  return {
    stop: () => {
      stopped = true
      cancel()
    },
  }
}
