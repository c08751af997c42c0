import { isUtf8 } from 'node:buffer'
import type { Steps } from '../../component/in-slices.js'
import { MAX_NESTING, OtlpDecodeError, OtlpLimitError } from './errors.js'

/** One record cannot be taken; its neighbours can. */
export class UnfitRecordError extends Error {}

/** What the fields of a message are, by number: text, a message, or (undefined) anything that is only skipped. */
export type Shape = readonly (Shape | 'text' | undefined)[]

export const ANY_VALUE: (Shape | 'text' | undefined)[] = [undefined, 'text']
const KEY_VALUE: Shape = [undefined, 'text', ANY_VALUE]
const LIST: Shape = [undefined, ANY_VALUE]
const MAP: Shape = [undefined, KEY_VALUE]
ANY_VALUE[5] = LIST
ANY_VALUE[6] = MAP
const ENTITY_REF: Shape = [undefined, 'text', 'text', 'text', 'text']
export const RESOURCE: Shape = [undefined, KEY_VALUE, undefined, ENTITY_REF]
export const SCOPE: Shape = [undefined, 'text', 'text', KEY_VALUE]
const LOG_RECORD: Shape = (() => {
  const shape: (Shape | 'text' | undefined)[] = [
    undefined,
    undefined,
    undefined,
    'text',
    undefined,
    ANY_VALUE,
  ]
  shape[6] = KEY_VALUE
  shape[12] = 'text'
  return shape
})()

/** Records, values, keys with values: bounds what a request of a few bytes for each can cost in memory. */
export const MAX_MESSAGES = 2_000_000

/** What is longer is gone over in steps of about as many bytes, a fraction of a millisecond each. */
export const LARGE_BYTES = 16 * 1024

/**
 * One pass over protobuf's wire format: every length, varint and string is checked. Unknown fields, and known ones of
 * another wire type, are skipped, as protobuf asks; groups, which OTLP never had, are refused.
 */
export class WireScan {
  at = 0
  /** How many messages it has gone over. */
  messages = 0

  // Of the last record that `record` went over. 0 where a field is absent: no field of a record starts there.
  timeAt = 0
  observedAt = 0
  severity = 0
  /** A body that is a string and nothing else; -1 for any other. */
  textAt = -1
  textEnd = -1

  constructor(readonly bytes: Buffer) {}

  /** The next tag: field number * 8 + wire type. */
  tag(end: number): number {
    const byte = this.bytes[this.at] as number
    if (byte >= 8 && byte < 0x80 && this.at < end) {
      this.at++
      return byte
    }
    const tag = this.varint(end)
    if (tag < 8) throw new OtlpDecodeError(`The protobuf has a field with number 0 at byte ${this.at}.`)
    return tag
  }

  /** The low 32 bits of a varint. */
  varint(end: number): number {
    let value = 0
    for (let index = 0; index < 10; index++) {
      if (this.at >= end) throw truncated(end)
      const byte = this.bytes[this.at++] as number
      if (index < 5) value |= (byte & 0x7f) << (7 * index)
      if (byte < 0x80) return value >>> 0
    }
    throw new OtlpDecodeError(`The protobuf has a number longer than 64 bits at byte ${this.at}.`)
  }

  /** Reads the length of what follows, and answers where that ends. */
  length(end: number): number {
    let length = this.at < end ? (this.bytes[this.at++] as number) : -1
    if (length < 0) throw truncated(end)
    if (length >= 0x80) {
      length &= 0x7f
      for (let factor = 128; ; factor *= 128) {
        if (this.at >= end) throw truncated(end)
        const byte = this.bytes[this.at++] as number
        length += (byte & 0x7f) * factor
        if (byte < 0x80) break
        if (factor > 2 ** 27) throw new OtlpDecodeError(`A length at byte ${this.at} is too long a number.`)
      }
    }
    if (length > end - this.at) throw truncated(end)
    return this.at + length
  }

  /** Over what follows a tag, whatever it is. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case 0:
        this.varint(end)
        return
      case 1:
        this.#jump(8, end)
        return
      case 2:
        this.at = this.length(end)
        return
      case 5:
        this.#jump(4, end)
        return
      default:
        throw new OtlpDecodeError(`The protobuf has the wire type ${tag & 7} at byte ${this.at}.`)
    }
  }

  /** Checks the fields of a message up to `end`. */
  message(shape: Shape, end: number, depth = 0): void {
    this.count()
    while (this.at < end) this.field(this.tag(end), shape, end, depth)
  }

  /** The same, in steps where it is large. */
  *messageSteps(shape: Shape, end: number, depth = 0): Steps<void> {
    this.count()
    let pausedAt = this.at
    while (this.at < end) {
      const tag = this.tag(end)
      const kind = (tag & 7) === 2 ? shape[tag >>> 3] : undefined
      const start = this.at
      const stop = kind === undefined || kind === 'text' ? start : this.length(end)
      const isDeeper = kind === ANY_VALUE
      if (stop - start > LARGE_BYTES && (!isDeeper || depth < MAX_NESTING)) {
        yield* this.messageSteps(kind as Shape, stop, isDeeper ? depth + 1 : depth)
      } else {
        this.at = start
        this.field(tag, shape, end, depth)
      }
      if (this.at - pausedAt < LARGE_BYTES) continue
      pausedAt = this.at
      yield
    }
  }

  field(tag: number, shape: Shape, end: number, depth: number): void {
    const kind = (tag & 7) === 2 ? shape[tag >>> 3] : undefined
    if (kind === undefined) {
      this.skip(tag, end)
      return
    }
    const stop = this.length(end)
    if (kind === 'text') this.utf8(stop)
    else if (kind !== ANY_VALUE) this.message(kind, stop, depth)
    else if (depth < MAX_NESTING) this.message(kind, stop, depth + 1)
    else throw new UnfitRecordError(`A value is nested deeper than ${MAX_NESTING} levels.`)
  }

  /** Checks a log record and notes where its parts are. */
  record(end: number): void {
    this.#forgetRecord()
    this.count()
    while (this.at < end) {
      const tag = this.tag(end)
      switch (tag) {
        case 0x09:
          this.timeAt = this.at
          this.#jump(8, end)
          break
        case 0x59:
          this.observedAt = this.at
          this.#jump(8, end)
          break
        case 0x10:
          this.severity = this.varint(end) | 0
          break
        case 0x2a:
          this.#body(this.length(end))
          break
        default:
          this.field(tag, LOG_RECORD, end, 0)
      }
    }
  }

  /** The same, in steps. */
  *recordSteps(end: number): Steps<void> {
    const start = this.at
    yield* this.messageSteps(LOG_RECORD, end)
    this.at = start
    this.#forgetRecord()
    let pausedAt = start
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag === 0x09) this.timeAt = this.at
      else if (tag === 0x59) this.observedAt = this.at
      if (tag === 0x10) this.severity = this.varint(end) | 0
      else if (tag === 0x2a) this.#noteText(this.length(end))
      else this.skip(tag, end)
      if (this.at - pausedAt < LARGE_BYTES) continue
      pausedAt = this.at
      yield
    }
  }

  #forgetRecord(): void {
    this.timeAt = 0
    this.observedAt = 0
    this.severity = 0
    this.textAt = -1
    this.textEnd = -1
  }

  /** Goes over text that must be UTF-8. */
  utf8(end: number): void {
    const { bytes } = this
    let at = this.at
    // Native code is worth its call for long texts.
    if (end - at < 256) while (at < end && (bytes[at] as number) < 0x80) at++
    if (at < end && !isUtf8(bytes.subarray(at, end)))
      throw new UnfitRecordError(`A text at byte ${this.at} is not UTF-8.`)
    this.at = end
  }

  count(): void {
    this.messages++
    if (this.messages > MAX_MESSAGES) throw new OtlpLimitError(`${MAX_MESSAGES} records and values`)
  }

  #body(end: number): void {
    const start = this.at
    this.#noteText(end)
    this.at = start
    if (this.textAt < 0) this.message(ANY_VALUE, end, 1)
    else {
      this.at = this.textAt
      this.utf8(end)
    }
  }

  /** Of a body up to `end`. */
  #noteText(end: number): void {
    this.textAt = -1
    this.textEnd = -1
    if (this.bytes[this.at] === 0x0a && this.at < end) {
      this.at++
      if (this.length(end) === end) {
        this.textAt = this.at
        this.textEnd = end
      }
    }
    this.at = end
  }

  #jump(count: number, end: number): void {
    if (end - this.at < count) throw truncated(end)
    this.at += count
  }
}

function truncated(end: number): OtlpDecodeError {
  return new OtlpDecodeError(
    `The protobuf is cut off: a field reaches beyond its message, which ends at byte ${end}.`,
  )
}
