import { randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { TestUser } from '../clients/test-user.js';

const PARTITIONS = 2;
const END_TIMEOUT_MS = 40_000;
const HIGH_WATERMARK = -1n;

/** What is deleted while nobody reads: retention that was shorter than an outage does the same. */
describe('a command log that has lost commands which nobody had decided', () => {
  let cluster: TrialCluster;
  let worker: RoleProcess;
  beforeAll(async () => {
    const environment = { COMMAND_LOG: 'kafka', PARTITIONS: String(PARTITIONS), LOG_LEVEL: 'warn' };
    cluster = await TrialCluster.start([], { workers: 1, apis: 1 }, environment);
    [worker] = cluster.of('worker') as [RoleProcess];
    const ada = await TestUser.signUp(cluster.url);
    const { conversationId } = await ada.group([]);
    await ada.sendMany(conversationId, 3);
    worker.signal('SIGSTOP');
    // The first of them may be on its way to the worker already.
    for (let i = 0; i < 3; i++) {
      const body = { content: `lost ${i}`, clientMsgId: randomUUID() };
      const { status } = await ada.rest.call('POST', `/v1/conversations/${conversationId}/messages`, { body });
      expect(status).toBe(202);
    }
    await deleteCommands();
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  async function deleteCommands(): Promise<void> {
    const { KAFKA_BROKERS = '', KAFKA_TOPIC_PREFIX } = cluster.environment;
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: KAFKA_BROKERS.split(',') });
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, offset: HIGH_WATERMARK }));
    await admin.deleteRecords({ topics: [{ name: `${KAFKA_TOPIC_PREFIX}.commands`, partitions }] });
    await admin.close();
  }

  it('ends the worker that would go on there, which says why', async () => {
    worker.signal('SIGCONT');
    expect((await worker.end(END_TIMEOUT_MS)).code).toBeGreaterThan(0);
    expect(worker.lastWords).toMatch(/the log has lost records/);
  });

  it('lets no other worker go on, which says why', async () => {
    await worker.start().catch(() => {});
    expect((await worker.end(END_TIMEOUT_MS)).code).toBeGreaterThan(0);
    expect(worker.lastWords).toMatch(/the log has lost records/);
  });
});
