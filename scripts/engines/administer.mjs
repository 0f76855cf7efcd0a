import pg from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;

/** Runs one statement as the administrator of a Postgres server, on a connection of its own. */
export async function administer(url, statement) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
