/** Writes protobuf's wire format into a growing buffer. */
export class WireWriter {
  #buffer: Buffer
  #at = 0

  constructor(capacity = 1_024) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  /** What has been written: a view that stays as it is while nothing more is written. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType)
  }

  /** A number of at most 32 bits, unsigned. */
  varint(value: number): void {
    this.#room(5)
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.#at++] = rest
  }

  /** 64 bits, two's complement. */
  varint64(value: bigint): void {
    if (value >= 0n && value <= 0xffff_ffffn) {
      this.varint(Number(value))
      return
    }
    this.#room(10)
    let rest = BigInt.asUintN(64, value)
    while (rest >= 0x80n) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#at++] = Number(rest)
  }

  fixed64(field: number, value: bigint): void {
    this.tag(field, 1)
    this.#room(8)
    this.#at = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#at)
  }

  fixed32(field: number, value: number): void {
    this.tag(field, 5)
    this.#room(4)
    this.#at = this.#buffer.writeUInt32LE(value >>> 0, this.#at)
  }

  double(field: number, value: number): void {
    this.tag(field, 1)
    this.#room(8)
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.tag(field, 2)
    this.varint(length)
    this.#room(length)
    this.#at += this.#buffer.write(value, this.#at, length, 'utf8')
  }

  raw(field: number, value: Uint8Array): void {
    this.tag(field, 2)
    this.varint(value.length)
    this.#room(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  /** A message; `write` writes its fields. */
  message(field: number, write: () => void): void {
    const start = this.begin(field)
    write()
    this.end(start)
  }

  /** Of a message whose fields follow; what it answers is for `end`. */
  begin(field: number): number {
    this.tag(field, 2)
    this.#room(1)
    return ++this.#at
  }

  /** Puts the length of a message in front of it. */
  end(start: number): void {
    const length = this.#at - start
    let size = 1
    for (let rest = length; rest >= 0x80; rest >>>= 7) size++
    if (size > 1) {
      this.#room(size - 1)
      this.#buffer.copyWithin(start + size - 1, start, this.#at)
    }
    this.#at = start - 1
    this.varint(length)
    this.#at += length
  }

  #room(bytes: number): void {
    const wanted = this.#at + bytes
    if (wanted <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}
