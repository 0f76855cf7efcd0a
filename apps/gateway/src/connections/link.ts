import type { ServerEventName, ServerEventPayload } from '@parley/contracts';

/** A Socket.IO packet as text. Whoever writes it first leaves the encoded frame in it for the others. */
export interface ServerPacket {
  readonly text: string;
}

/** The transport under a connection. Nothing throws; writing to a closed one does nothing. */
export interface Link {
  readonly id: string;
  readonly address: string;
  onOverflow: () => void;
  write(packet: ServerPacket): void;
  bufferedBytes(): number;
  takenBytes(): number;
  dropWaiting(): void;
  /** Ends the connection after what waits; with `goodbye`, stock clients do not come back by themselves. */
  close(goodbye: boolean): void;
  terminate(): void;
  isOpen(): boolean;
}

/** An event for clients, encoded once however many of them get it. */
export function serverPacket<Name extends ServerEventName>(
  name: Name,
  payload: ServerEventPayload<Name>,
): ServerPacket {
  return encodedPacket(name, JSON.stringify(payload));
}

/** The same, where the payload's JSON is there already. */
export function encodedPacket(name: ServerEventName, json: string): ServerPacket {
  return { text: `2["${name}",${json}]` };
}
