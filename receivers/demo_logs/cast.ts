import { type AnyValue, NO_RESOURCE, newMap, type Resource } from 'tocsin/component'

/** The services of the shop, each on its hosts. */
export const CAST = {
  web: [service('shop-web', 'web-1'), service('shop-web', 'web-2')],
  orders: [service('orders', 'app-1'), service('orders', 'app-2')],
  payments: [service('payments', 'app-2')],
  catalog: [service('catalog', 'app-3')],
} as const

export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'

/** One line that a service writes. */
export interface Line {
  readonly from: Resource
  readonly level: Level
  readonly text: string
  readonly attributes?: { readonly [key: string]: AnyValue }
}

function service(name: string, host: string): Resource {
  return {
    ...NO_RESOURCE,
    attributes: newMap([
      ['service.name', name],
      ['service.namespace', 'shop'],
      ['host.name', host],
    ]),
  }
}
