// Writes protobuf messages: bytes that grow. The reading side is wire.ts.

export class WireWriter {
  private bytes = new Uint8Array(256)
  private used = 0

  private room(count: number): void {
    if (this.used + count <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.used + count))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }

  /** A varint of a whole number; negative ones as ten bytes of two's complement. */
  varint(value: number): this {
    this.room(10)
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 127n; rest >>= 7n) this.bytes[this.used++] = Number(rest & 127n) | 128
    this.bytes[this.used++] = Number(rest)
    return this
  }

  int(field: number, value: number): this {
    return this.varint(8 * field).varint(value)
  }

  float(field: number, value: number): this {
    this.varint(8 * field + 5)
    this.room(4)
    new DataView(this.bytes.buffer).setFloat32(this.used, value, true)
    this.used += 4
    return this
  }

  data(field: number, value: Uint8Array): this {
    this.varint(8 * field + 2).varint(value.byteLength)
    return this.raw(value)
  }

  text(field: number, value: string): this {
    return this.data(field, new TextEncoder().encode(value))
  }

  message(field: number, value: WireWriter): this {
    return this.data(field, value.bytes.subarray(0, value.used))
  }

  /** Bytes as they are, without a tag: fields that are copied. */
  raw(value: Uint8Array): this {
    this.room(value.byteLength)
    this.bytes.set(value, this.used)
    this.used += value.byteLength
    return this
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.used)
  }
}
