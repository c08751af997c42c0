export class OtlpDecodeError extends Error {
  override readonly name: string = 'OtlpDecodeError'
}

/** OTLP values nested deeper than this are refused. */
export const MAX_NESTING = 100
