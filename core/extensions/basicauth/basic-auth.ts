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
import type { BasicAuthConfig } from './config.js'
import { parseHtpasswd, type Verify } from './htpasswd.js'

const CHALLENGE = 'Basic realm="tocsin", charset="UTF-8"'
/** Users that do not exist take as long as those that do. */
const NOBODY = parseHtpasswd('nobody:nothing').users.get('nobody') as Verify

/** Lets users with their password pass; sends its user and password with an exporter's requests. */
export class BasicAuth implements Extension, AuthenticatorExtension {
  readonly #context: ComponentContext<BasicAuthConfig>
  readonly #inline: ReadonlyMap<string, Verify>
  readonly authenticate?: (headers: RequestHeaders) => AuthRefusal | undefined
  readonly headers?: () => { readonly [name: string]: string }
  #users: ReadonlyMap<string, Verify>
  #file: WatchedFile | undefined

  constructor(context: ComponentContext<BasicAuthConfig>) {
    const { htpasswd, client_auth: client } = context.config
    this.#context = context
    this.#inline = parseHtpasswd(htpasswd?.inline ?? '').users
    this.#users = this.#inline
    if (htpasswd) this.authenticate = headers => this.#check(headers)
    if (client) {
      const credentials = Buffer.from(`${client.username}:${client.password}`).toString('base64')
      this.headers = () => ({ authorization: `Basic ${credentials}` })
    }
  }

  async start(): Promise<void> {
    const { config, baseDir, clock, logger } = this.#context
    const file = config.htpasswd?.file
    if (file === undefined) return
    this.#file = await watchFile(resolve(baseDir, file), {
      clock,
      take: text => this.#take(text, file),
      onTrouble: reason => logger.warn('The users in force stay.', { reason }),
    })
  }

  async stop(): Promise<void> {
    this.#file?.stop()
  }

  #check({ authorization }: RequestHeaders): AuthRefusal | undefined {
    if (authorization === undefined) return { reason: 'missing_credentials', challenge: CHALLENGE }
    const encoded = /^basic +([a-z0-9+/=_-]+)$/i.exec(String(authorization))?.[1] ?? ''
    const text = Buffer.from(encoded, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    const verify = colon < 0 ? undefined : this.#users.get(text.slice(0, colon))
    const right = (verify ?? NOBODY)(text.slice(colon + 1))
    return verify && right ? undefined : { reason: 'wrong_credentials', challenge: CHALLENGE }
  }

  #take(text: string, file: string): void {
    const { users, faults } = parseHtpasswd(text)
    const [fault] = faults
    if (fault)
      throw new PermanentError('bad_htpasswd', `The file ${file}, line ${fault.line}: ${fault.message}.`)
    this.#users = new Map([...users, ...this.#inline])
  }
}
