// Free ports, and one question to an engine over a fresh connection.
import { createConnection, createServer } from 'node:net';
import { EngineError } from './engine-error.mjs';

/** Below what systems give to outgoing connections, which would take an engine's port while it restarts. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const PORT_ATTEMPTS_MAX = 200;

/** @returns a port on which nobody listens at any of the addresses, and none of `taken` */
export async function freePort(hosts, taken) {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (taken.has(port)) continue;
    const free = await Promise.all(hosts.map((host) => canListen(host, port)));
    if (free.every(Boolean)) return port;
  }
  throw new EngineError(`No free port between ${PORT_MIN} and ${PORT_MAX} on ${hosts.join(', ')}.`);
}

function canListen(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Connects, says something, and waits for an answer.
 * @param isAnswer looks at all bytes so far: true and false settle it, undefined waits for more
 * @returns whether the answer came within `timeoutMs`; a refused connection is a no
 */
export function asks({ host, port }, question, isAnswer, timeoutMs) {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    let bytes = Buffer.alloc(0);
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
    socket.on('connect', () => socket.write(question));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const answer = isAnswer(bytes);
      if (answer !== undefined) settle(answer);
    });
  });
}
