import type { buildConnector, Client } from 'undici'

/** What a sender needs of undici. */
export interface Undici {
  readonly Client: typeof Client
  readonly buildConnector: typeof buildConnector
}

let loaded: Promise<Undici> | undefined

/** For the first request. Its door would load fetch, caches and WebSockets too: three times as much. */
export function loadUndici(): Promise<Undici> {
  loaded ??= loadParts()
  return loaded
}

async function loadParts(): Promise<Undici> {
  // Bundled, a CommonJS module has a default export and no others.
  const [client, connect] = await Promise.all([
    import('undici/lib/dispatcher/client.js'),
    import('undici/lib/core/connect.js'),
  ])
  return { Client: client.default, buildConnector: connect.default }
}
