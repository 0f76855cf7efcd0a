import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';

// Three starts of the application, two of which make or copy a database.
describe('a back-up of the data folder', { timeout: 180_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-test-postgres-back-up-'));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it('that was copied from a stopped server and put in its place is the server of that time', async () => {
    const [data, copy] = [join(folder, 'data'), join(folder, 'copy')];
    const environment = { DATA_DIR: data };
    const app = await TestApp.start(environment);
    const [ada, bob] = await app.someUsers('Ada', 'Bob');
    const { conversationId } = await ada!.direct(bob!);
    await ada!.sendMany(conversationId, 3, 'before');
    await app.shutDown();
    await promisify(execFile)('cp', ['-a', data, copy]);

    const goesOn = await TestApp.start(environment);
    const token = ada!.session.accessToken;
    const messages = `/v1/conversations/${conversationId}/messages`;
    const send = (url: string, text: string) =>
      new RestClient(url, token).call('POST', messages, { body: { content: text, clientMsgId: text } });
    expect(await send(goesOn.url, 'after')).toMatchObject({ status: 201, json: { seq: 4 } });
    await goesOn.shutDown();

    await rm(data, { recursive: true });
    await rename(copy, data);
    const restored = await TestApp.start(environment);
    try {
      // The secret was in the copy: the token of before is good.
      const rest = new RestClient(restored.url, token);
      const page = await rest.call('GET', messages);
      const { items } = page.json as { items: { seq: number; content: string }[] };
      expect(items.map(({ seq }) => seq)).toEqual([3, 2, 1]);
      // A client that has seen the fourth message is ahead of the server, and is told to begin anew.
      const cursors = [{ conversationId, afterSeq: 4 }];
      const sync = await rest.call('POST', '/v1/sync', { body: { cursors } });
      expect(sync.json).toMatchObject({ conversations: [{ reset: true }] });
      expect(await send(restored.url, 'on')).toMatchObject({ status: 201, json: { seq: 4 } });
    } finally {
      await restored.stop();
    }
  });
});
