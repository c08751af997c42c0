/** Bytes or JSON that are no OTLP logs request; the message says where and why. */
export class OtlpDecodeError extends Error {
  override readonly name: string = 'OtlpDecodeError'
}

/** The request holds more than one request may. */
export class OtlpLimitError extends OtlpDecodeError {
  constructor(limit: string) {
    super(`The request holds more than ${limit}: send smaller batches.`)
  }
}

/** OTLP values nested deeper than this are refused. */
export const MAX_NESTING = 100
