import { type ComponentContext, type Extension, type Host, parseEndpoint } from 'tocsin/component'
import { serveGets } from 'tocsin/http'
import { answer } from './answer.js'
import type { HealthCheckConfig } from './config.js'

/** Answers health probes with the status of the service and its pipelines. */
export class HealthCheck implements Extension {
  readonly #config: HealthCheckConfig
  readonly #context: ComponentContext<HealthCheckConfig>
  #server: { close(): Promise<void> } | undefined

  constructor(context: ComponentContext<HealthCheckConfig>) {
    const { config } = context
    this.#config = config
    this.#context = context
  }

  async start(host: Host): Promise<void> {
    const { path: base, endpoint } = this.#config
    this.#server = serveGets({
      listener: await this.#context.listen(parseEndpoint(endpoint)),
      clock: this.#context.clock,
      answer: path => {
        const { code, body } = answer(path, base, host.status()) ?? {
          code: 404,
          body: { error: `the status is at ${base}, with live and ready below it` },
        }
        return { code, contentType: 'application/json', body: `${JSON.stringify(body)}\n` }
      },
    })
  }

  async stop(): Promise<void> {
    await this.#server?.close()
  }
}
