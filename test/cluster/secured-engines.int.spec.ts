import { pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';
import { chmod, chown, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kafkaConditionOf, openDatabase, redisConditionOf } from '@parley/infra';
import { type AppConfig, loadConfiguration } from '@parley/infra/config';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import { createClient } from '@redis/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { kafkaConnectionOf, redisAuthoritiesOf } from '../../libs/infra/src/engine-connections.js';
import { KafkaCommandLog, openKafkaTopics } from '../../libs/infra/src/kafka/index.js';
import { fromZero, readSome } from '../../libs/infra/src/kafka/test-brokers.testing.js';
import { sendRecord } from '../../libs/domain/src/ports/testing/send-record.js';
import { RedisPorts } from '../../libs/infra/src/redis/index.js';
import { startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';
import { freePort } from '../clients/child-server.js';
import { type Certificates, makeCertificates } from './certificates.js';

function configOf(environment: Record<string, string>): AppConfig {
  return loadConfiguration({ COMMAND_LOG: 'postgres', ...environment });
}

/** How Kafka numbers the mechanisms, and the hash in each. */
const SCRAM = { 'SCRAM-SHA-256': { mechanism: 1, hash: 'sha256' }, 'SCRAM-SHA-512': { mechanism: 2, hash: 'sha512' } };
const SCRAM_ITERATIONS = 4_096;

/** Makes the account in the brokers' own list, as `kafka-configs.sh --add-config` does. */
async function addScramAccount(address: string, name: string, password: string): Promise<void> {
  const [host = '', port] = address.split(':');
  const connection = new Connection('test');
  await connection.connect(host, Number(port));
  // An account with two mechanisms is two requests.
  for (const { mechanism, hash } of Object.values(SCRAM)) {
    const salt = randomBytes(24);
    const saltedPassword = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, hash === 'sha256' ? 32 : 64, hash);
    const account = { name, mechanism, iterations: SCRAM_ITERATIONS, salt, saltedPassword };
    await alterUserScramCredentialsV0.api.async(connection, [], [account]);
  }
  await connection.close();
}

/** Engines of these tests alone, told to take connections over TLS. */
describe('an encrypted connection', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(async () => certificates.remove());

  describe('to Redis', () => {
    let engines: StartedEngines;
    let url: string;
    beforeAll(async () => {
      engines = await startEngines(['redis']);
      const port = await freePort();
      const client = createClient({ url: engines.env['REDIS_URL'] ?? '' });
      await client.connect();
      const { certificateFile, keyFile, caFile } = certificates;
      const settings = ['tls-cert-file', certificateFile, 'tls-key-file', keyFile, 'tls-ca-cert-file', caFile];
      await client.sendCommand(['CONFIG', 'SET', ...settings, 'tls-auth-clients', 'no', 'tls-port', String(port)]);
      await client.close();
      url = `rediss://127.0.0.1:${port}`;
    });
    afterAll(async () => engines.stop());

    it('carries live events when its certificate is signed by the authority that is named', async () => {
      const config = configOf({ BROADCAST: 'redis', REDIS_URL: url, REDIS_TLS_CA_FILE: certificates.caFile });
      expect(await redisConditionOf(config)).toMatchObject({ version: expect.stringMatching(/^\d/) as string });
      const onTrouble = vi.fn<(what: string, error: unknown) => void>();
      const ca = redisAuthoritiesOf(config);
      const ports = await RedisPorts.open({ url, ca, prefix: `${randomUUID()}:`, onTrouble });
      try {
        expect(ports.isUp).toBe(true);
        const outcome = ports.replies.expect('c1', 5_000);
        ports.replies.send(ports.replies.processId, [
          { commandId: 'c1', outcome: { kind: 'created', existed: false } },
        ]);
        expect(await outcome).toEqual({ kind: 'created', existed: false });
        expect(onTrouble).not.toHaveBeenCalled();
      } finally {
        await ports.close();
      }
    });

    it.each(['none', 'stranger'] as const)('is not made when the authority is %s', async (which) => {
      const named: Record<string, string> = which === 'none' ? {} : { REDIS_TLS_CA_FILE: certificates.strangerCaFile };
      const config = configOf({ BROADCAST: 'redis', REDIS_URL: url, ...named });
      await expect(redisConditionOf(config)).rejects.toThrow(/certificate|self-signed|issuer/i);
    });

    it('names the file that cannot be read', async () => {
      const config = configOf({ BROADCAST: 'redis', REDIS_URL: url, REDIS_TLS_CA_FILE: '/nowhere/ca.pem' });
      await expect(redisConditionOf(config)).rejects.toThrow(
        'REDIS_TLS_CA_FILE names /nowhere/ca.pem, which cannot be read.',
      );
    });
  });

  describe('to Postgres', () => {
    let engines: StartedEngines;
    let url: URL;
    beforeAll(async () => {
      engines = await startEngines(['postgres']);
      url = new URL(engines.env['POSTGRES_ADMIN_URL'] ?? '');
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      const folder = rows[0]!.data_directory;
      const { uid, gid } = await stat(folder);
      for (const [name, file] of [
        ['server.crt', certificates.certificateFile],
        ['server.key', certificates.keyFile],
      ] as const) {
        await copyFile(file, join(folder, name));
        await chmod(join(folder, name), 0o600);
        await chown(join(folder, name), uid, gid);
      }
      await client.query('ALTER SYSTEM SET ssl = on');
      await client.query('SELECT pg_reload_conf()');
      await vi.waitFor(async () => {
        expect((await client.query('SHOW ssl')).rows).toEqual([{ ssl: 'on' }]);
      });
      await client.end();
    });
    afterAll(async () => engines.stop());

    it('is made, for TypeORM and plain statements, when the certificate is right', async () => {
      url.search = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificates.caFile)}`;
      const database = await openDatabase({ url: url.href, poolSize: 2 });
      try {
        const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
        expect((await database.pool.query(sql)).rows).toEqual([{ ssl: true }]);
        expect(await database.dataSource.query(sql)).toEqual([{ ssl: true }]);
      } finally {
        await database.close();
      }
    });

    it('is not made when the certificate is a stranger’s', async () => {
      url.search = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificates.strangerCaFile)}`;
      await expect(openDatabase({ url: url.href, poolSize: 2 })).rejects.toThrow(/certificate|issuer/i);
    });
  });

  describe('to Kafka, with an account', () => {
    let engines: StartedEngines;
    let brokers: string;
    beforeAll(async () => {
      engines = await startEngines(['kafka']);
      const port = await freePort();
      const [broker] = engines.nodes;
      await broker!.stop();
      const file = join(dirname(broker!.logFile), broker!.name, 'server.properties');
      const settings = await readFile(file, 'utf8');
      const secured = settings
        .replace(/^(listeners=.*)$/m, `$1,SASL_SSL://127.0.0.1:${port}`)
        .replace(/^(advertised\.listeners=.*)$/m, `$1,SASL_SSL://localhost:${port}`)
        .replace(/^(listener\.security\.protocol\.map=.*)$/m, '$1,SASL_SSL:SASL_SSL');
      const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_parley="secret";';
      const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
      const more = [
        'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        `listener.name.sasl_ssl.plain.sasl.jaas.config=${login}`,
        ...Object.keys(SCRAM).map((name) => `listener.name.sasl_ssl.${name.toLowerCase()}.sasl.jaas.config=${scram}`),
        'ssl.keystore.type=PEM',
        `ssl.keystore.location=${certificates.keyAndCertificateFile}`,
      ];
      await writeFile(file, `${secured}${more.join('\n')}\n`);
      await broker!.start();
      await addScramAccount(broker!.address, 'parley', 'secret');
      brokers = `localhost:${port}`;
    });
    afterAll(async () => engines.stop());

    const environment = (mechanism: string, more: Record<string, string> = {}): Record<string, string> => ({
      COMMAND_LOG: 'kafka',
      KAFKA_BROKERS: brokers,
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: certificates.caFile,
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: 'parley',
      KAFKA_SASL_PASSWORD: 'secret',
      ...more,
    });

    const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

    it.each(mechanisms)('makes topics, appends and reads with %s', async (mechanism) => {
      const connection = kafkaConnectionOf(configOf(environment(mechanism)), 'test');
      const topicPrefix = `secured-${mechanism}`;
      const topics = await openKafkaTopics({ ...connection, topicPrefix, partitions: 1, replicationFactor: 1 });
      const log = new KafkaCommandLog({ ...connection, topic: topics.commands, partitions: 1 });
      try {
        const record = sendRecord(randomUUID());
        await log.append([record]);
        const read = await readSome(log, fromZero(1), 1);
        expect(read.map((each) => each.record)).toEqual([record]);
      } finally {
        await log.close();
      }
      const condition = await kafkaConditionOf(configOf(environment(mechanism, { KAFKA_TOPIC_PREFIX: topicPrefix })));
      expect(condition).toMatchObject({ brokers: 1, topics: [{ partitions: 1, leaderless: 0 }, { partitions: 1 }] });
    });

    it.each(mechanisms)(
      'with %s is refused with a wrong password or name, and not made when the certificate is a stranger’s',
      async (mechanism) => {
        const wrong: Record<string, string>[] = [
          { KAFKA_SASL_PASSWORD: 'guessed' },
          { KAFKA_SASL_USERNAME: 'nobody' },
          { KAFKA_TLS_CA_FILE: certificates.strangerCaFile },
        ];
        for (const more of wrong) {
          await expect(kafkaConditionOf(configOf(environment(mechanism, more)))).rejects.toThrow(Error);
        }
      },
    );
  });
});
