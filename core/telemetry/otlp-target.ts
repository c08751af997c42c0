import { readFile } from 'node:fs/promises'
import { errorText, type Logger } from '../component/index.js'
import type { OtlpTarget } from './push-options.js'

/** The URL, without user and password. `path`: for HTTP, where the endpoint has none. */
export function targetUrl({ protocol, endpoint, insecure }: OtlpTarget, path: string): string {
  const scheme = protocol === 'grpc' && !insecure ? 'https' : 'http'
  const url = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `${scheme}://${endpoint}`)
  url.username = ''
  url.password = ''
  if (protocol === 'http' && url.pathname === '/') url.pathname = path
  return url.href
}

/** The authorities to trust, where the configuration names a file. */
export async function authorities({ caFile }: OtlpTarget): Promise<Buffer | undefined> {
  return caFile === undefined ? undefined : readFile(caFile)
}

/** Says once that our telemetry does not arrive, and once that it does again. */
export class PushHealth {
  #failed = false

  constructor(
    private readonly what: string,
    private readonly endpoint: string,
    private readonly logger: Logger,
  ) {}

  worked(): void {
    if (this.#failed) this.logger.info(`${this.what} are sent again.`, { endpoint: this.endpoint })
    this.#failed = false
  }

  failed(error: unknown): void {
    if (!this.#failed) {
      this.logger.warn(`${this.what} could not be sent; what comes next is tried again.`, {
        endpoint: this.endpoint,
        reason: errorText(error),
      })
    }
    this.#failed = true
  }
}
