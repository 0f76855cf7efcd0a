import { beforeEach, describe, expect, it } from 'vitest';
import { ACK_WINDOW_MS, AckWindow } from './ack-window.js';
import { VirtualClock } from './testing/virtual-clock.js';

let clock: VirtualClock;
let sent: string[];
let isLost: boolean;
let acks: AckWindow;
beforeEach(() => {
  clock = new VirtualClock();
  sent = [];
  isLost = false;
  acks = new AckWindow(clock, async (conversationId, messageId) => {
    sent.push(`${conversationId} ${messageId}`);
    if (isLost) throw new Error('lost');
  });
});

describe('acknowledgements', () => {
  it('of one conversation name the latest message, and nothing twice or backwards', async () => {
    acks.arrived('one', '9', false);
    acks.arrived('one', '10', false);
    acks.arrived('one', '8', false);
    await clock.advance(ACK_WINDOW_MS - 1);
    expect(sent).toEqual([]);
    await clock.advance(1);
    acks.arrived('one', '10', false);
    acks.arrived('one', '9', false);
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['one 10']);
    expect(clock.waiting).toBe(0);
  });

  it('of many conversations are five in each 200 ms, and all are sent', async () => {
    for (let i = 0; i < 12; i++) acks.arrived(`c${i}`, '1', false);
    for (const many of [5, 10, 12]) {
      await clock.advance(ACK_WINDOW_MS);
      expect(sent).toHaveLength(many);
    }
    expect(new Set(sent).size).toBe(12);
    expect(clock.waiting).toBe(0);
  });

  it('that were lost are sent at the next connection, or with the next arrival', async () => {
    isLost = true;
    acks.arrived('one', '1', false);
    await clock.advance(ACK_WINDOW_MS);
    isLost = false;
    await clock.advance(60_000);
    expect(sent).toEqual(['one 1']);
    acks.reconnected();
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['one 1', 'one 1']);
  });

  it('that were lost do not replace a later one', async () => {
    let fail: (cause: Error) => void = () => {};
    acks = new AckWindow(clock, (_, messageId) => {
      sent.push(messageId);
      return messageId === '1' ? new Promise((_done, reject) => (fail = reject)) : Promise.resolve();
    });
    acks.arrived('one', '1', false);
    await clock.advance(ACK_WINDOW_MS);
    acks.arrived('one', '2', false);
    fail(new Error('lost'));
    await clock.advance(ACK_WINDOW_MS);
    acks.reconnected();
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['1', '2']);
  });

  it('that another device has sent are sent only of what came live, for which the server waits', async () => {
    acks.arrived('one', '5', true);
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual([]);
    acks.told('one', '6');
    acks.told('one', '4');
    expect(acks.liveOf('one')).toBe('6');
    acks.arrived('one', '6', true);
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['one 6']);
    acks.reconnected();
    acks.arrived('one', '7', true);
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['one 6']);
  });

  it('of a conversation that is gone are not sent, and begin anew after a return', async () => {
    acks.told('one', '5');
    acks.arrived('one', '5', false);
    acks.forget('one');
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual([]);
    expect(acks.liveOf('one')).toBeUndefined();
    acks.arrived('one', '3', false);
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual(['one 3']);
  });

  it('end with the client', async () => {
    acks.arrived('one', '5', false);
    acks.stop();
    await clock.advance(ACK_WINDOW_MS);
    expect(sent).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
