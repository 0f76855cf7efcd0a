const FIRST_BYTES = 64 * 1_024;
/** A buffer that one large batch made is not kept for the small ones after it. */
const KEPT_BYTES_MAX = 4 * 1_024 * 1_024;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;
/** Shorter texts are copied faster here than by a call into Node's buffer. */
const SHORT_TEXT_UNITS = 48;
const TWO_32 = 0x1_0000_0000;
const HYPHEN = 45;
const UUID_BYTES = 16;

/** The value of a hexadecimal digit by its character code; 255 for all others. */
const HEX = new Uint8Array(128).fill(255);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  HEX[digit.charCodeAt(0)] = HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Writes protocol messages and their binary parameters one after another into one growing buffer. A buffer for each
 * column of each batch was two fifths of all that the process allocated at 1,000 messages a second.
 */
export class ParameterWriter {
  private buffer = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;

  /** Begins anew. What `bytes` gave before must not be needed any more. */
  reset(): void {
    this.at = 0;
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = Buffer.allocUnsafe(FIRST_BYTES);
  }

  /** What was written so far; valid until `reset`. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  /** A length that counts from here on, itself not included: give the answer to `endLength`. */
  beginLength(): number {
    this.int32(0);
    return this.at;
  }

  endLength(from: number): void {
    this.buffer.writeInt32BE(this.at - from, from - 4);
  }

  /** The same for a message of the protocol, whose length counts itself. */
  endMessage(from: number): void {
    this.buffer.writeInt32BE(this.at - from + 4, from - 4);
  }

  int8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  int16(value: number): void {
    this.reserve(2);
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  /**
   * A whole number up to 2^53, as 64 bits.
   * @throws TypeError for anything else: the buffer would take NaN, a time that could not be parsed, for zero
   */
  int64(value: number): void {
    if (!Number.isInteger(value)) throw new TypeError(`not a whole number: ${value}`);
    this.reserve(8);
    const high = Math.floor(value / TWO_32);
    this.at = this.buffer.writeInt32BE(high, this.at);
    this.at = this.buffer.writeUInt32BE(value - high * TWO_32, this.at);
  }

  /** A whole number of 64 bits in decimal digits. */
  decimal64(digits: string): void {
    this.reserve(8);
    this.at = this.buffer.writeBigInt64BE(BigInt(digits), this.at);
  }

  text(value: string): void {
    this.reserve(value.length * BYTES_PER_UNIT_MAX);
    if (value.length <= SHORT_TEXT_UNITS && this.ascii(value)) return;
    this.at += this.buffer.write(value, this.at, 'utf8');
  }

  /** Ended by a zero byte, as names are in the protocol. */
  name(value: string): void {
    this.text(value);
    this.int8(0);
  }

  /** @throws TypeError for anything but 32 hexadecimal digits, hyphens aside */
  uuid(value: string): void {
    this.reserve(UUID_BYTES);
    let high = -1;
    let at = this.at;
    const end = at + UUID_BYTES;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code === HYPHEN) continue;
      const digit = HEX[code] ?? 255;
      if (digit === 255 || at === end) throw new TypeError(`not a UUID: ${value}`);
      if (high < 0) high = digit;
      else {
        this.buffer[at++] = high * 16 + digit;
        high = -1;
      }
    }
    if (at !== end || high >= 0) throw new TypeError(`not a UUID: ${value}`);
    this.at = end;
  }

  /** False, and nothing written, when there is another character in it. */
  private ascii(value: string): boolean {
    const { buffer, at } = this;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      buffer[at + i] = code;
    }
    this.at = at + value.length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}
