import { readFile, stat } from 'node:fs/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { isAlive } from './testing/holder-process-runner.js';
import { startTestPostgres } from './testing.js';

describe('a database for tests', () => {
  it('is empty and one’s own; the server goes with the last user', async () => {
    const [one, two] = await Promise.all([startTestPostgres(), startTestPostgres()]);
    const client = new pg.Client({ connectionString: one.url });
    await client.connect();
    const { rows } = await client.query<{ data_directory: string; name: string }>(
      `SELECT current_setting('data_directory') AS data_directory, current_database() AS name`,
    );
    expect(rows[0]?.name).toBe(one.connection.database);
    await client.query('CREATE TABLE mine (id int)');
    const neighbour = new pg.Client(two.connection);
    await neighbour.connect();
    await expect(neighbour.query('SELECT * FROM mine')).rejects.toThrow('does not exist');

    const folder = rows[0]?.data_directory ?? '';
    const pid = Number.parseInt(await readFile(`${folder}/postmaster.pid`, 'utf8'), 10);
    await client.end();
    await one.stop();
    expect((await neighbour.query('SELECT 1')).rowCount).toBe(1);
    await neighbour.end();
    expect(await isAlive(pid)).toBe(true);
    await two.stop();
    expect(await isAlive(pid)).toBe(false);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });
});
