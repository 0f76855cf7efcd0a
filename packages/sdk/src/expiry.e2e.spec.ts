import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { resume, type ConnectionState, type ParleyClient } from './index.js';
import { SdkTrial, until, untilConnection } from './testing/sdk-trial.js';

let trial: SdkTrial;
beforeAll(async () => {
  trial = await SdkTrial.start({ AUTH_ACCESS_TOKEN_SECONDS: '3' });
});
afterAll(() => trial.stop());

describe('access tokens that last 3 s', () => {
  it('are renewed on open connections, which are never interrupted, by two tabs that share one session', async () => {
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
