import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import pg from 'pg';
import { traceBus } from '../trace-command.js';

class SendMessage {
  constructor(readonly content: string) {}
}

export async function serve(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const bus = {
    execute: async (command: object) => {
      const { rows } = await pool.query('SELECT $1::text AS content', [(command as SendMessage).content]);
      return rows[0] as unknown;
    },
  };
  traceBus(bus);
  const app = fastify();
  app.get('/v1/echo', () => bus.execute(new SendMessage('meet me at the harbour')));
  app.get('/health/live', () => 'ok');
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    port: (app.server.address() as AddressInfo).port,
    close: async () => {
      await app.close();
      await pool.end();
    },
  };
}
