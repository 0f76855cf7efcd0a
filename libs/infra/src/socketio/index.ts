export { ParleyIoAdapter, type SocketServerOptions } from './parley-io-adapter.js';
export type { TrustProxy } from './client-address.js';
export type { HandshakeRequest, ReceivedEvent, SocketDoor } from './socket-door.js';
export { isSocketUpgrade } from './socket-upgrade.js';
export type { SocketLink } from './socket-link.js';
export type { WirePacket } from './wire-packet.js';
