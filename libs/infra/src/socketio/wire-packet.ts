/** What engine.io passes on to its transports with a packet; a finished frame spares each socket the encoding. */
interface EncodedOptions {
  compress: boolean;
  wsPreEncodedFrame: [frame: Buffer];
}

/**
 * A Socket.IO packet of the default namespace as text (`2["event",{}]`, `3<id>[{}]`). The first websocket that writes it
 * leaves the encoded frame in it, and all others write the same bytes.
 */
export interface WirePacket {
  readonly text: string;
  encoded?: EncodedOptions;
}

const TEXT_FRAME = 0x81;
const ENGINE_MESSAGE = 0x34;

/**
 * One unmasked websocket text frame that carries an engine.io message. A single buffer on purpose: a frame in two parts
 * goes out by `writev`, which was 41 % of the profile of the hot path.
 */
export function encodeFrame(text: string): Buffer {
  const size = 1 + Buffer.byteLength(text);
  const head = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = TEXT_FRAME;
  if (head === 2) {
    frame[1] = size;
  } else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame[head] = ENGINE_MESSAGE;
  frame.write(text, head + 1, 'utf8');
  return frame;
}

export function encodedOptions(packet: WirePacket): EncodedOptions {
  return (packet.encoded ??= { compress: false, wsPreEncodedFrame: [encodeFrame(packet.text)] });
}

/** The frames of several packets as one buffer, for one write. */
export function joinedOptions(packets: readonly WirePacket[]): EncodedOptions {
  const frames = packets.map((packet) => encodedOptions(packet).wsPreEncodedFrame[0]);
  return { compress: false, wsPreEncodedFrame: [Buffer.concat(frames)] };
}
