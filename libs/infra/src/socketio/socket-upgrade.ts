import type { IncomingMessage } from 'node:http';

/** Where sockets are served; the contract names it. */
export const SOCKET_PATH = '/socket.io';

/**
 * Whether a request that names protocols to change to is to become a WebSocket; Node's option `shouldUpgradeCallback`.
 *
 * Whatever else is asked for is ignored, as HTTP allows: clients that offer HTTP/2 with every request (`curl --http2`,
 * Java's HttpClient) get their answer. Without the option, engine.io's listener on the server makes an upgrade of each
 * of them, and closes it without a word. Node before 24.9 does not know the option and does that.
 */
export function isSocketUpgrade({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): boolean {
  return url.startsWith(`${SOCKET_PATH}/`) && headers.upgrade?.toLowerCase() === 'websocket';
}
