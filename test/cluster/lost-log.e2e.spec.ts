import { randomBytes, randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeEngineNames, type EngineNames } from '../clients/cluster/engine-names.js';
import { RoleGroup } from '../clients/cluster/role-group.js';
import { RoleProcess } from '../clients/cluster/role-process.js';
import { TestUser } from '../clients/test-user.js';

const PARTITIONS = 2;
const END_TIMEOUT_MS = 40_000;
const HIGH_WATERMARK = -1n;

/** What is deleted while nobody reads: retention that was shorter than an outage does the same. */
describe('a command log that has lost commands which nobody had decided', () => {
  let names: EngineNames;
  let environment: Record<string, string>;
  let doors: RoleGroup;
  let worker: RoleProcess;
  beforeAll(async () => {
    names = await takeEngineNames();
    environment = {
      ...names.environment,
      PROFILE: 'cluster',
      PARTITIONS: String(PARTITIONS),
      AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
      LOG_LEVEL: 'warn',
    };
    worker = await RoleProcess.prepare('worker', environment);
    await worker.start();
    doors = await RoleGroup.prepare({ apis: 1 }, environment);
    await doors.start();
    const ada = await TestUser.signUp(doors.processes[0]?.url as string);
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
    await worker?.destroy();
    await doors?.destroy();
    await names?.drop();
  });

  async function deleteCommands(): Promise<void> {
    const admin = new Admin({
      clientId: 'test',
      bootstrapBrokers: (environment['KAFKA_BROKERS'] as string).split(','),
    });
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, offset: HIGH_WATERMARK }));
    await admin.deleteRecords({ topics: [{ name: `${environment['KAFKA_TOPIC_PREFIX']}.commands`, partitions }] });
    await admin.close();
  }

  it('ends the worker that would go on there, which says why', async () => {
    worker.signal('SIGCONT');
    expect((await worker.end(END_TIMEOUT_MS)).code).toBeGreaterThan(0);
    expect(worker.lastWords).toMatch(/the log has lost records/);
  });

  it('lets no other worker go on, which says why', async () => {
    const other = await RoleProcess.prepare('worker', environment);
    await other.start().catch(() => {});
    expect((await other.end(END_TIMEOUT_MS)).code).toBeGreaterThan(0);
    expect(other.lastWords).toMatch(/the log has lost records/);
  });
});
