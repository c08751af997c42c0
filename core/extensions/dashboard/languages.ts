import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { errorText, PermanentError } from 'tocsin/component'

/** A language of a file: what it calls itself, and its texts as JSON. */
export interface Language {
  readonly code: string
  readonly name: string
  readonly json: string
}

/** Reads the files of further languages; throws `language_unusable`. */
export function readLanguages(files: readonly string[], baseDir: string): Promise<readonly Language[]> {
  return Promise.all(
    files.map(async file => {
      try {
        return parseLanguage(await readFile(resolve(baseDir, file), 'utf8'), file)
      } catch (error) {
        throw new PermanentError('language_unusable', errorText(error))
      }
    }),
  )
}

/** Of a file's name: `fr`, `pt-BR`. */
export function codeOf(file: string): string | undefined {
  return /(?:^|[/\\])([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.json$/.exec(file)?.[1]
}

/** Throws what is wrong with a file's text, with its name. */
export function parseLanguage(text: string, file: string): Language {
  let texts: unknown
  try {
    texts = JSON.parse(text)
  } catch (error) {
    throw new Error(`${file} is no JSON: ${errorText(error)}`)
  }
  const isMap = typeof texts === 'object' && texts !== null && !Array.isArray(texts)
  const wrong = isMap && Object.entries(texts as object).find(([, value]) => typeof value !== 'string')
  if (!isMap || wrong)
    throw new Error(`${file}: ${wrong ? `"${wrong[0]}" is no text` : 'it holds no map of texts'}`)
  const { language } = texts as { readonly language?: string }
  if (!language) throw new Error(`${file}: "language" is missing, what the language calls itself`)
  return { code: codeOf(file) as string, name: language, json: text }
}
