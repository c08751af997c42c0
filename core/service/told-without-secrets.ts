import { type Exporter, errorText, type Sent } from '../component/index.js'

/** A text without the secrets of the configuration. */
export type Redact = (text: string) => string

/**
 * An exporter whose reasons tell no secrets of the configuration, whoever wrote it: what `fetch()` throws may hold a whole
 * address, and servers like to repeat what they were sent. Reasons go to the log, dead letters, the history and the page.
 */
export function toldWithoutSecrets(exporter: Exporter, redact: Redact): Exporter {
  return {
    start: async () => exporter.start?.(),
    stop: async () => exporter.stop?.(),
    async send(request, signal) {
      const { answered } = request
      const told = answered ? { ...request, answered: (text: string) => answered(redact(text)) } : request
      try {
        return withoutSecrets(await exporter.send(told, signal), redact)
      } catch (error) {
        const text = errorText(error)
        const shown = redact(text)
        if (shown === text) throw error
        throw Object.assign(new Error(shown), { retryable: (error as { retryable?: unknown }).retryable })
      }
    },
  }
}

/** Third parties may answer what is no answer: that is for who asked to tell. */
function withoutSecrets(sent: Sent, redact: Redact): Sent {
  return sent === 'ok' || typeof sent?.reason !== 'string' ? sent : { ...sent, reason: redact(sent.reason) }
}
