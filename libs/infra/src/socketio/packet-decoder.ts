import { PAYLOAD_BYTES_MAX } from '@parley/contracts';

/** The packet types of Socket.IO's protocol, version 5. */
export const PACKET = {
  connect: 0,
  disconnect: 1,
  event: 2,
  ack: 3,
  connectError: 4,
  binaryEvent: 5,
  binaryAck: 6,
} as const;

/** Why an event cannot be looked at, though its sender can still be answered. */
export type PacketProblem = 'payload_too_large' | 'invalid_json' | 'binary_not_taken';

export interface IncomingPacket {
  type: number;
  nsp: string;
  /** The id that the acknowledgement has to name, as the client wrote it. */
  id: string | undefined;
  data: unknown;
  problem: PacketProblem | undefined;
}

/** Enough for a handshake's token and device. A stranger gets no more memory than that. */
export const UNAUTHENTICATED_CHARS_MAX = 16_384;

const ATTACHMENTS_MAX = 10;
const ID_DIGITS_MAX = 16;
const NAMESPACE_CHARS_MAX = 64;
/** A UTF-16 unit takes at most three bytes of UTF-8, so a text this short needs no counting. */
const SURELY_SHORT_CHARS = Math.floor(PAYLOAD_BYTES_MAX / 3);

const ZERO = 48;
const NINE = 57;
const SLASH = 47;
const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/**
 * Socket.IO's text protocol, with the server's limits in it. Where the stock parser ends the connection, an event that
 * names an acknowledgement is passed on with its `problem`, so that its sender is answered. Binary attachments are
 * refused and dropped, never gathered. Everything else that is not the protocol throws, which closes that connection.
 */
export class PacketDecoder {
  /** Raised by the adapter once the connection is authenticated. */
  textCharsMax: number = UNAUTHENTICATED_CHARS_MAX;
  private attachmentsLeft = 0;
  private listener: ((packet: IncomingPacket) => void) | null = null;

  on(_event: 'decoded', listener: (packet: IncomingPacket) => void): void {
    this.listener = listener;
  }

  removeListener(): void {
    this.listener = null;
  }

  destroy(): void {
    this.listener = null;
  }

  add(chunk: unknown): void {
    if (typeof chunk !== 'string') {
      if (this.attachmentsLeft === 0) throw new Error('binary data that no packet announced');
      this.attachmentsLeft--;
      return;
    }
    if (chunk.length > this.textCharsMax) throw new Error('too much text before the handshake');
    const packet = this.decode(chunk);
    if (packet) this.listener?.(packet);
  }

  private decode(text: string): IncomingPacket | null {
    const type = text.charCodeAt(0) - ZERO;
    if (!(type >= PACKET.connect && type <= PACKET.binaryAck)) throw new Error('unknown packet type');
    let at = 1;
    const binary = type === PACKET.binaryEvent || type === PACKET.binaryAck;
    if (binary) at = this.expectAttachments(text);
    let nsp = '/';
    if (text.charCodeAt(at) === SLASH) {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      if (end - at > NAMESPACE_CHARS_MAX) throw new Error('namespace too long');
      nsp = text.slice(at, end);
      at = end + 1;
    }
    const idFrom = at;
    while (isDigit(text.charCodeAt(at))) at++;
    if (at - idFrom > ID_DIGITS_MAX) throw new Error('acknowledgement id too long');
    const id = at > idFrom ? text.slice(idFrom, at) : undefined;
    const packet: IncomingPacket = { type, nsp, id, data: undefined, problem: undefined };
    if (binary) {
      packet.problem = 'binary_not_taken';
      return type === PACKET.binaryEvent ? packet : null;
    }
    return fill(packet, text, at);
  }

  private expectAttachments(text: string): number {
    const dash = text.indexOf('-', 1);
    const announced = dash > 1 && dash <= 4 ? Number(text.slice(1, dash)) : NaN;
    if (!Number.isInteger(announced) || announced < 1 || this.attachmentsLeft + announced > ATTACHMENTS_MAX) {
      throw new Error('illegal attachments');
    }
    this.attachmentsLeft += announced;
    return dash + 1;
  }
}

function fill(packet: IncomingPacket, text: string, at: number): IncomingPacket {
  const isEvent = packet.type === PACKET.event;
  if (text.length > SURELY_SHORT_CHARS && Buffer.byteLength(text) > PAYLOAD_BYTES_MAX) {
    if (!isEvent) throw new Error('packet too large');
    packet.problem = 'payload_too_large';
    return packet;
  }
  try {
    if (at < text.length) packet.data = JSON.parse(text.slice(at));
  } catch (error) {
    if (!isEvent) throw error;
    packet.problem = 'invalid_json';
    return packet;
  }
  if (isEvent && !Array.isArray(packet.data)) packet.problem = 'invalid_json';
  if (packet.type === PACKET.connect && !isHandshake(packet.data)) throw new Error('a handshake is an object');
  return packet;
}

const isHandshake = (data: unknown): boolean =>
  data === undefined || (typeof data === 'object' && data !== null && !Array.isArray(data));
