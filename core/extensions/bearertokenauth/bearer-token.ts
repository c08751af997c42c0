import { createHash, timingSafeEqual } from 'node:crypto'
import { resolve } from 'node:path'
import {
  type AuthenticatorExtension,
  type AuthRefusal,
  type ComponentContext,
  type Extension,
  PermanentError,
  type RequestHeaders,
} from 'tocsin/component'
import { type WatchedFile, watchFile } from '#files'
import type { BearerTokenConfig } from './config.js'

/** Lets requests with one of its tokens pass; sends its first token with an exporter's. */
export class BearerToken implements Extension, AuthenticatorExtension {
  readonly #context: ComponentContext<BearerTokenConfig>
  readonly #header: string
  #tokens: readonly string[]
  #digests: readonly Buffer[] = []
  #file: WatchedFile | undefined

  constructor(context: ComponentContext<BearerTokenConfig>) {
    const { token, tokens, header } = context.config
    this.#context = context
    this.#header = header.toLowerCase()
    this.#tokens = tokens ?? (token === undefined ? [] : [token])
    this.#digests = this.#tokens.map(each => digest(this.#value(each)))
  }

  async start(): Promise<void> {
    const { config, baseDir, clock, logger } = this.#context
    if (config.filename === undefined) return
    this.#file = await watchFile(resolve(baseDir, config.filename), {
      clock,
      take: text => this.#take(text),
      onTrouble: reason => logger.warn('The tokens in use stay in force.', { reason }),
    })
  }

  async stop(): Promise<void> {
    this.#file?.stop()
  }

  authenticate(headers: RequestHeaders): AuthRefusal | undefined {
    const challenge = this.#context.config.scheme || 'Bearer'
    const given = headers[this.#header]
    if (given === undefined) return { reason: 'missing_credentials', challenge }
    const found = digest(String(given))
    // All of them are compared, in constant time each.
    let matches = 0
    for (const each of this.#digests) matches += timingSafeEqual(each, found) ? 1 : 0
    return matches > 0 ? undefined : { reason: 'wrong_credentials', challenge }
  }

  headers(): { readonly [name: string]: string } {
    return { [this.#header]: this.#value(this.#tokens[0] as string) }
  }

  #take(text: string): void {
    const tokens = text
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
    if (tokens.length === 0)
      throw new PermanentError('no_token', `The file ${this.#context.config.filename} has no token.`)
    this.#tokens = tokens
    this.#digests = tokens.map(each => digest(this.#value(each)))
  }

  #value(token: string): string {
    const { scheme } = this.#context.config
    return scheme === '' ? token : `${scheme} ${token}`
  }
}

/** Of equal length, whatever the text: what `timingSafeEqual` needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
