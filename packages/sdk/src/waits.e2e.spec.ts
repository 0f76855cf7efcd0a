import { afterAll, beforeAll, describe, it } from 'vitest';
import { TestUser } from '../../../test/clients/test-user.js';
import { resume, type ConnectionState, type ParleyClient } from './index.js';
import { openSocketLink } from './socket-link.js';
import { placed, SdkTrial, until, untilConnection } from './testing/sdk-trial.js';

let trial: SdkTrial;
beforeAll(async () => {
  trial = await SdkTrial.start({ AUTH_ACCESS_TOKEN_SECONDS: '3' });
});
afterAll(() => trial.stop());

// At the same time, for most of it is waiting for the server.
describe.concurrent('over time', () => {
  it('the last message is found when its event is lost: the server says where it stands', async ({
    expect,
    onTestFinished,
  }) => {
    let isLosing = false;
    const rita = await trial.person('Rita', {
      openLink: (target, listener, timeoutMs) => {
        const pass: typeof listener.event = (event) => {
          if (!(isLosing && event.name === 'new_message')) listener.event(event);
        };
        return openSocketLink(target, { event: pass, ended: () => listener.ended() }, timeoutMs);
      },
    });
    const writer = await TestUser.signUp(trial.app.url, 'Wanda');
    const group = await rita.client.createGroup('Lossy', [writer.userId]);
    onTestFinished(group.subscribe(() => {}));
    await writer.send(group.id, 'seen');
    await until(group, (items) => items.length === 1);
    isLosing = true;
    const lost = await writer.send(group.id, 'lost on the way');
    await until(group, (items) => items.length === 2, 'found', 35_000);
    expect(placed(group.timeline)[1]).toEqual({ seq: lost.seq, content: lost.content });
  });

  it('access tokens of 3 s are renewed on open connections, by two tabs that share one session', async ({
    expect,
    onTestFinished,
  }) => {
    let renewals = 0;
    const counting = (url: string, request: Parameters<typeof fetch>[1]) => {
      if (url.endsWith('/auth/refresh')) renewals++;
      return fetch(url, request);
    };
    const ada = await trial.person('Ada', { fetch: counting });
    const other = await resume({ ...trial.options(ada.store), fetch: counting });
    if (!other) throw new Error('No session');
    const tabs: ParleyClient[] = [ada.client, trial.kept(other)];
    const chat = await ada.client.createGroup('long', []);
    onTestFinished(chat.subscribe(() => {}));
    const states: ConnectionState[] = [];
    for (const tab of tabs) {
      await untilConnection(tab, 'connected');
      tab.on('connection', (state) => states.push(state));
    }
    const endMs = Date.now() + 7_000;
    for (let i = 0; Date.now() < endMs; i++) {
      await chat.send(`message ${i}`);
      await until(chat, (items) => items.at(-1)?.content === `message ${i}` && items.at(-1)?.status === 'sent');
      for (const tab of tabs) await tab.me();
    }
    expect(states).toEqual([]);
    expect(renewals).toBeGreaterThan(1);
    expect(trial.faults).toEqual([]);
  });
});
