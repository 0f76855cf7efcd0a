import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AppConfig, loadConfiguration } from '@parley/infra/config';
import { auth, Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cassandraSettingsOf } from '../../libs/infra/src/engine-connections.js';
import {
  CassandraMessageStore,
  cassandraCondition,
  connectCassandra,
  migrateCassandra,
} from '../../libs/infra/src/cassandra/index.js';
import { newConversation, sent } from '../../libs/domain/src/ports/testing/written-messages.js';
import { startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';
import { type Certificates, makeCertificates } from './certificates.js';

/** The first account is made some seconds after the first start. */
const ACCOUNTS = { timeout: 60_000, interval: 500 };
const DATA_CENTRE = 'datacenter1';

/** A node of these tests alone, which knows accounts and speaks TLS. */
describe('an encrypted connection to Cassandra, with an account', () => {
  let certificates: Certificates;
  let engines: StartedEngines;
  let address: string;
  beforeAll(async () => {
    certificates = await makeCertificates();
    engines = await startEngines(['cassandra']);
    const [node] = engines.nodes;
    address = node!.address;
    await node!.stop();
    const file = join(dirname(node!.logFile), node!.name, 'cassandra.yaml');
    const settings = await readFile(file, 'utf8');
    // Optional for the look whether the node is ready; what connections are is asked of the node below.
    await writeFile(
      file,
      `${settings}authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: true
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: ${JSON.stringify(certificates.keyAndCertificateFile)}
`,
    );
    await node!.start();
    await asAdministrator(
      "CREATE ROLE parley WITH PASSWORD = 'secret' AND LOGIN = true",
      // All that an account needs: what it makes is its own.
      'GRANT CREATE ON ALL KEYSPACES TO parley',
      "CREATE ROLE stranger WITH PASSWORD = 'secret' AND LOGIN = true",
    );
  }, 240_000);
  afterAll(async () => {
    await engines?.stop();
    await certificates?.remove();
  });

  async function asAdministrator(...statements: string[]): Promise<void> {
    const client = await vi.waitFor(async () => {
      const authProvider = new auth.PlainTextAuthProvider('cassandra', 'cassandra');
      const made = new Client({ contactPoints: [address], localDataCenter: DATA_CENTRE, authProvider });
      await made.connect().catch(async (error: unknown) => {
        await made.shutdown();
        throw error;
      });
      return made;
    }, ACCOUNTS);
    for (const statement of statements) await client.execute(statement);
    await client.shutdown();
  }

  const configOf = (authority = certificates.caFile, more: Record<string, string> = {}): AppConfig =>
    loadConfiguration({
      COMMAND_LOG: 'postgres',
      MESSAGE_STORE: 'cassandra',
      CASSANDRA_CONTACT_POINTS: address,
      CASSANDRA_LOCAL_DC: DATA_CENTRE,
      CASSANDRA_KEYSPACE: 'secured',
      CASSANDRA_TLS: 'on',
      ...(authority !== '' && { CASSANDRA_TLS_CA_FILE: authority }),
      CASSANDRA_USERNAME: 'parley',
      CASSANDRA_PASSWORD: 'secret',
      ...more,
    });

  it('makes the keyspace, stores and reads, and tells its condition, with the right to make keyspaces alone', async () => {
    const settings = cassandraSettingsOf(configOf());
    await migrateCassandra(settings, { [DATA_CENTRE]: 1 });
    const client = await connectCassandra(settings);
    try {
      const store = new CassandraMessageStore(client);
      const write = sent(newConversation(), 1);
      await store.append([write]);
      const { conversationId, messageId } = write.message;
      expect(await store.find(conversationId, [messageId])).toEqual([write.message]);
      const run = await store.currentRun();
      await store.markWhole(run ?? '', [0]);
      expect(await store.wholeIn(run ?? '', [0])).toEqual(new Set([0]));
      expect(await cassandraCondition(client)).toMatchObject({ nodesUp: 1, replication: { [DATA_CENTRE]: 1 } });
      await asAdministrator('GRANT SELECT ON system_views.clients TO parley');
      const { rows } = await client.execute('SELECT username, ssl_enabled FROM system_views.clients');
      const own = rows.filter((row) => row['username'] === 'parley');
      expect(own.length).toBeGreaterThan(0);
      expect(new Set(own.map((row) => row['ssl_enabled'] as boolean))).toEqual(new Set([true]));
    } finally {
      await client.shutdown();
    }
  });

  it('is refused with a wrong password, and with an account that nobody has', async () => {
    const wrong: Record<string, string>[] = [{ CASSANDRA_PASSWORD: 'guessed' }, { CASSANDRA_USERNAME: 'nobody' }];
    for (const more of wrong) {
      const settings = cassandraSettingsOf(configOf(certificates.caFile, more));
      await expect(connectCassandra(settings, null, 5_000)).rejects.toThrow(/credentials|incorrect|authentication/i);
    }
  });

  it('is not made when its certificate is not signed by the authority that is named, or by a known one', async () => {
    for (const authority of [certificates.strangerCaFile, '']) {
      const settings = cassandraSettingsOf(configOf(authority));
      await expect(connectCassandra(settings, null, 100)).rejects.toThrow(/certificate|issuer|self-signed/i);
    }
  });

  it('gives an account without rights nothing', async () => {
    const settings = cassandraSettingsOf(configOf(certificates.caFile, { CASSANDRA_USERNAME: 'stranger' }));
    await expect(migrateCassandra(settings, { [DATA_CENTRE]: 1 })).rejects.toThrow(/permission/i);
  });
});
