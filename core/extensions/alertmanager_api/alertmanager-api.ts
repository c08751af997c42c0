import {
  type ComponentContext,
  type Extension,
  errorText,
  type Host,
  isTocsinError,
  nsToMs,
  parseEndpoint,
} from 'tocsin/component'
import { authenticatorOf, serveRequests, type WebAnswer, type WebRequest } from 'tocsin/http'
import type { AlertHistory } from '#history'
import {
  API_VERSION,
  alerts,
  BadParameter,
  groups,
  receivers,
  type Sources,
  shownSilence,
  silences,
  status,
} from './answers.js'
import type { AlertmanagerApiConfig } from './config.js'
import { parseSilence } from './silence-body.js'

const API = '/api/v2'

/** Serves Alertmanager's API v2 over an alert history. */
export class AlertmanagerApi implements Extension {
  readonly #context: ComponentContext<AlertmanagerApiConfig>
  #server: { close(): Promise<void> } | undefined

  constructor(context: ComponentContext<AlertmanagerApiConfig>) {
    this.#context = context
  }

  async start(host: Host): Promise<void> {
    const { config, clock, oncePerMinute } = this.#context
    const history = this.#context.extension<AlertHistory>(config.history)
    const authenticator =
      config.auth && authenticatorOf(this.#context, config.auth.authenticator, 'authenticate')
    const errors = this.#context.meter.createCounter('tocsin_alertmanager_api_errors_total', {
      description: 'Requests that could not be answered.',
    })
    errors.add(0)
    this.#server = serveRequests({
      listener: await this.#context.listen(parseEndpoint(config.endpoint)),
      clock,
      ...(authenticator && { authenticator }),
      open: ['/-/healthy', '/-/ready'],
      answer: request =>
        this.#answer(request, { history, host, now: nsToMs(clock.now()), externalUrl: config.external_url }),
      onError: error => {
        errors.add(1)
        oncePerMinute.warn("A request of Alertmanager's API could not be answered.", {
          reason: errorText(error),
        })
      },
    })
  }

  async stop(): Promise<void> {
    await this.#server?.close()
  }

  async #answer(request: WebRequest, sources: Sources): Promise<WebAnswer> {
    try {
      return await this.#routed(request, sources)
    } catch (error) {
      if (error instanceof BadParameter) return json(400, error.message)
      throw error
    }
  }

  async #routed(request: WebRequest, sources: Sources): Promise<WebAnswer> {
    const { method, path, query } = request
    const isGet = method === 'GET' || method === 'HEAD'
    const [, id] = /^\/api\/v2\/silence\/([^/]+)$/.exec(path) ?? []
    if (id !== undefined) {
      if (isGet) return this.#silence(id, sources)
      if (method === 'DELETE') return this.#expire(id, sources)
      return notAllowed('GET, DELETE')
    }
    if (path === `${API}/silences` && method === 'POST') return this.#post(request, sources)
    const get = GETS[path]
    if (!get)
      return {
        code: 404,
        contentType: 'text/plain',
        body: `Nothing is here: Alertmanager's API is at ${API}.\n`,
      }
    return isGet ? get(sources, query) : notAllowed(path === `${API}/silences` ? 'GET, POST' : 'GET')
  }

  async #silence(id: string, { history }: Sources): Promise<WebAnswer> {
    const silence = await history.silence(decoded(id))
    return silence ? json(200, shownSilence(silence)) : { code: 404 }
  }

  async #expire(id: string, { history }: Sources): Promise<WebAnswer> {
    if (!this.#context.config.allow_changes) return FORBIDDEN
    try {
      await history.expireSilence(decoded(id))
      return { code: 200 }
    } catch (error) {
      if (!isTocsinError(error) || error.retryable) throw error
      return error.code === 'unknown_silence' ? { code: 404 } : json(500, error.message)
    }
  }

  async #post({ body }: WebRequest, { history }: Sources): Promise<WebAnswer> {
    if (!this.#context.config.allow_changes) return FORBIDDEN
    const parsed = parseSilence(body)
    if (!('fields' in parsed)) {
      const { code, message } = parsed
      return json(code, { code: code === 422 ? 602 : 400, message })
    }
    try {
      const { id } = await history.setSilence(parsed.fields)
      return json(200, { silenceID: id })
    } catch (error) {
      if (!isTocsinError(error) || error.retryable) throw error
      return error.code === 'unknown_silence'
        ? json(404, error.message)
        : json(400, `invalid silence: ${error.message}`)
    }
  }
}

const GETS: {
  readonly [path: string]: (sources: Sources, query: URLSearchParams) => WebAnswer | Promise<WebAnswer>
} = {
  [`${API}/alerts`]: async (sources, query) => json(200, await alerts(sources, query)),
  [`${API}/alerts/groups`]: async (sources, query) => json(200, await groups(sources, query)),
  [`${API}/silences`]: async (sources, query) => json(200, await silences(sources, query)),
  [`${API}/receivers`]: sources => json(200, receivers(sources)),
  [`${API}/status`]: sources => json(200, status(sources)),
  '/-/healthy': () => ({ code: 200, contentType: 'text/plain', body: 'OK\n' }),
  '/-/ready': () => ({ code: 200, contentType: 'text/plain', body: 'OK\n' }),
  // Karma asks here which version it talks to.
  '/metrics': () => ({
    code: 200,
    contentType: 'text/plain; version=0.0.4',
    body: `# TYPE alertmanager_build_info gauge\nalertmanager_build_info{version="${API_VERSION}"} 1\n`,
  }),
}

const FORBIDDEN = json(403, 'Changes are not allowed: set allow_changes of alertmanager_api to true.')

function json(code: number, value: unknown): WebAnswer {
  return { code, body: `${JSON.stringify(value)}\n` }
}

function notAllowed(allow: string): WebAnswer {
  return { ...json(405, `Use ${allow}.`), headers: { allow } }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
