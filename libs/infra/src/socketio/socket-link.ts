import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import type { PacketDecoder } from './packet-decoder.js';
import { encodedOptions, joinedOptions, type WirePacket } from './wire-packet.js';

/** The parts of engine.io's and ws's sockets that their types keep private. */
interface EngineConnection {
  readyState: string;
  writeBuffer: unknown[];
  request: unknown;
  transport: { name: string; req?: unknown; socket?: { terminate(): void; _socket?: TcpSocket | null } };
  write(text: string, options: object): void;
  close(discard?: boolean): void;
}

interface TcpHandle {
  bytesWritten: number;
  writeQueueSize: number;
}

/** Packets up to this many bytes together go out as one write; copying more than that would cost what it saves. */
const JOINED_BYTES_MAX = 65_536;

export interface SocketLinkOptions {
  /** Bytes that may wait for a reader; above it `onOverflow` is called. */
  bufferBytesMax: number;
}

/**
 * One client's connection as the application sees it: packets go in, and how far its reader is behind comes out.
 * Nothing here throws, and writing to a closed link does nothing.
 */
export class SocketLink {
  readonly id: string;
  /** Called when a write made more than `bufferBytesMax` wait. */
  onOverflow: () => void = () => {};
  private waitingBytes = 0;
  /** Written in this turn of the event loop, and not handed to the transport yet. */
  private turn: WirePacket[] = [];
  private turnBytes = 0;
  private readonly connection: EngineConnection;

  constructor(
    private readonly socket: Socket,
    /** Where the client is, as far as the configured proxies can be believed. */
    readonly address: string,
    private readonly options: SocketLinkOptions,
  ) {
    this.id = socket.id;
    this.connection = socket.conn as unknown as EngineConnection;
    (socket.client as unknown as { decoder: PacketDecoder }).decoder.textCharsMax = Infinity;
  }

  /**
   * Packets of one turn of the event loop go out together at its end: a batch of the pipeline often has an answer, a
   * delivery and a receipt for the same socket, and a write costs a system call (a third of the profile under load).
   */
  write(packet: WirePacket): void {
    if (this.connection.readyState !== 'open') return;
    const bytes = encodedOptions(packet).wsPreEncodedFrame[0].length;
    if (this.turnBytes + bytes > JOINED_BYTES_MAX) this.flush();
    if (this.turn.length === 0) flushAtEndOfTurn(this);
    this.turn.push(packet);
    this.turnBytes += bytes;
    if (this.bufferedBytes() > this.options.bufferBytesMax) this.onOverflow();
  }

  /** Hands what was written in this turn to the transport. */
  flush(): void {
    const { connection, turn, turnBytes } = this;
    const [only] = turn;
    if (!only) return;
    this.turn = [];
    this.turnBytes = 0;
    if (connection.readyState !== 'open') return;
    if (connection.writeBuffer.length === 0) this.waitingBytes = 0;
    this.waitingBytes += turnBytes;
    // Joined frames have no text that a polling client could be given.
    if (turn.length > 1 && connection.transport.name === 'websocket') connection.write('', joinedOptions(turn));
    else for (const packet of turn) connection.write(packet.text, encodedOptions(packet));
  }

  /** Bytes that wait in this process for the reader. */
  bufferedBytes(): number {
    const waiting = this.connection.writeBuffer.length === 0 ? 0 : this.waitingBytes;
    return this.turnBytes + waiting + (this.tcp?.writableLength ?? 0);
  }

  /**
   * How many bytes the reader's side has taken so far. It stands still while a reader stalls. Polling clients take all or
   * nothing, so theirs is always 0 and `bufferedBytes` says the rest.
   */
  takenBytes(): number {
    const handle = (this.tcp as unknown as { _handle?: TcpHandle | null } | undefined)?._handle;
    return handle ? handle.bytesWritten - handle.writeQueueSize : 0;
  }

  /** Forgets what the reader has not begun to take, so that the last words reach it first if it comes back. */
  dropWaiting(): void {
    this.connection.writeBuffer.splice(0);
    this.turn = [];
    this.turnBytes = this.waitingBytes = 0;
  }

  /** Ends the connection after what waits. Stock clients come back by themselves, unless they are told `goodbye`. */
  close(goodbye: boolean): void {
    this.flush();
    if (goodbye) this.socket.disconnect(true);
    this.connection.close();
  }

  /** Cuts the connection, whatever waits. */
  terminate(): void {
    this.flush();
    this.connection.transport.socket?.terminate();
    this.connection.close(true);
  }

  /** False once the connection under it is gone, in both directions. */
  isOpen(): boolean {
    const { tcp } = this;
    return tcp ? !tcp.destroyed : this.connection.readyState !== 'closed';
  }

  /**
   * Lets go of the handshake: the request with its headers is most of what an idle connection holds. A polling client
   * still needs its requests.
   */
  forgetHandshake(): void {
    const { connection } = this;
    (this.socket as { handshake: Socket['handshake'] }).handshake = FORGOTTEN;
    if (connection.transport.name !== 'websocket') return;
    connection.request = null;
    connection.transport.req = null;
  }

  private get tcp(): TcpSocket | undefined {
    return this.connection.transport.socket?._socket ?? undefined;
  }
}

let unflushed: SocketLink[] = [];

/** After the callbacks and promises of this turn: a tick that is asked for while promises run comes when they are done. */
function flushAtEndOfTurn(link: SocketLink): void {
  if (unflushed.push(link) > 1) return;
  process.nextTick(() => {
    const links = unflushed;
    unflushed = [];
    for (const each of links) each.flush();
  });
}

const FORGOTTEN: Socket['handshake'] = Object.freeze({
  headers: {},
  time: '',
  address: '',
  xdomain: false,
  secure: false,
  issued: 0,
  url: '',
  query: {},
  auth: {},
});
