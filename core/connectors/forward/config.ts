import type { ConfigSchema } from 'tocsin/component'

/** A forward has nothing to configure. */
export type ForwardConfig = Record<string, never>

export const schema: ConfigSchema = { type: 'object', properties: {}, additionalProperties: false }
