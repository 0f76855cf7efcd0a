import { connect } from 'node:net';

const CONNECT_MS_MAX = 1_000;

/** Whether one of these `host:port` takes connections. @throws when none does, within a second */
export async function brokersAnswer(addresses: readonly string[]): Promise<void> {
  await Promise.any(addresses.map(reach)).catch(() => {
    throw new Error(`Nobody takes connections at ${addresses.join(', ')}.`);
  });
}

function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: CONNECT_MS_MAX });
    const fail = (error?: Error): void => {
      socket.destroy();
      reject(error ?? new Error(`${address} says nothing`));
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail());
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
