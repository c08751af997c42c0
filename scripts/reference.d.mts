import type { AnyFactory, ConfigSchema } from 'tocsin/component'

export function reference(
  components: readonly AnyFactory[],
  schemas: { readonly common: ConfigSchema; readonly service: ConfigSchema },
): string
