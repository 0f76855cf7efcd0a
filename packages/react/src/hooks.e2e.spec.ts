import './testing/dom.js';
import type { ParleyClient } from '@parley/sdk';
import { cleanup, render, renderHook, waitFor } from '@testing-library/react';
import { Activity, createElement, StrictMode, type ReactNode } from 'react';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SdkTrial, type Person } from '../../sdk/src/testing/sdk-trial.js';
import {
  ParleyProvider,
  useConnection,
  useConversation,
  useConversations,
  useParley,
  usePresence,
  useTyping,
} from './index.js';

const WAIT = { timeout: 15_000 };

let trial: SdkTrial;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  trial = await SdkTrial.start();
  ada = await trial.person('Ada');
  bob = await trial.person('Bob');
});
afterEach(cleanup);
afterAll(() => trial.stop());

const below = (client: ParleyClient | null) =>
  function Wrapper({ children }: { children: ReactNode }) {
    return createElement(StrictMode, null, createElement(ParleyProvider, { client, children }));
  };
const seenBy = <View>(client: ParleyClient | null, hook: () => View) => renderHook(hook, { wrapper: below(client) });
const group = (name: string) => ada.client.createGroup(name, [bob.client.userId]);

describe('a provider', () => {
  it('opens one connection, in StrictMode and however many components look, and closes it when it goes', async () => {
    const opened: ParleyClient[] = [];
    const open = async () => {
      const client = await trial.again(ada);
      opened.push(client);
      return client;
    };
    const states: string[] = [];
    function Look() {
      useConversations();
      const { status } = useConnection();
      states.push(`${useParley().status} ${status}`);
      return null;
    }
    const looks = Array.from({ length: 10 }, (_, i) => createElement(Look, { key: i }));
    const before = trial.proxy.acceptedCount;
    const view = render(createElement(StrictMode, null, createElement(ParleyProvider, { open, children: looks })));
    await waitFor(() => expect(states.at(-1)).toBe('ready connected'), WAIT);
    expect(opened).toHaveLength(1);
    // Beside the socket, the requests that signing in takes.
    expect(trial.proxy.acceptedCount - before).toBeLessThanOrEqual(3);
    expect(opened[0]?.connectionState.status).toBe('connected');
    view.unmount();
    await waitFor(() => expect(opened[0]?.connectionState.status).toBe('closed'), WAIT);
    expect(opened).toHaveLength(1);
  });

  it('says when there is nobody to go on as, and why it failed', async () => {
    const statusOf = (open: () => Promise<ParleyClient | null>) =>
      renderHook(useParley, {
        wrapper: ({ children }: { children: ReactNode }) => createElement(ParleyProvider, { open, children }),
      });
    const nobody = statusOf(async () => null);
    expect(nobody.result.current.status).toBe('opening');
    await waitFor(() => expect(nobody.result.current.status).toBe('signed-out'));
    const failing = statusOf(() => Promise.reject(new Error('no token')));
    await waitFor(() =>
      expect(failing.result.current).toMatchObject({ status: 'failed', error: { message: 'no token' } }),
    );
  });

  it('closes a client that comes when nobody waits for it any more', async () => {
    let give = (_client: ParleyClient): void => {};
    const open = () => new Promise<ParleyClient>((done) => (give = done));
    const view = render(createElement(ParleyProvider, { open, children: null }));
    await waitFor(() => expect(give.length).toBe(1));
    await Promise.resolve();
    view.unmount();
    const client = await trial.again(ada);
    give(client);
    await waitFor(() => expect(client.connectionState.status).toBe('closed'), WAIT);
  });

  it('is missed with a clear error', () => {
    expect(() => renderHook(useParley)).toThrow('outside of a ParleyProvider');
  });
});

describe('useConversations', () => {
  it('follows the list and its unread count, and renders nothing anew while nothing changes', async () => {
    const list = seenBy(bob.client, useConversations);
    const before = list.result.current.unreadCount;
    const chat = await group('listed');
    await chat.send('one');
    await waitFor(
      () => expect(list.result.current.conversations[0]).toMatchObject({ name: 'listed', unreadCount: 1 }),
      WAIT,
    );
    expect(list.result.current.unreadCount).toBe(before + 1);
    const view = list.result.current;
    list.rerender();
    expect(list.result.current).toBe(view);
  });

  it('is empty without a client', () => {
    expect(seenBy(null, useConversations).result.current).toEqual({ conversations: [], unreadCount: 0 });
    expect(seenBy(null, useConnection).result.current).toEqual({ status: 'idle' });
    expect(seenBy(null, () => useConversation('x')).result.current.isLoaded).toBe(false);
  });
});

describe('useConversation', () => {
  it('shows the timeline live, from two components, until the user is taken out, and again after a return', async () => {
    const chat = await group('live');
    await chat.send('before');
    const one = seenBy(bob.client, () => useConversation(chat.id));
    const two = seenBy(bob.client, () => useConversation(chat.id));
    const contents = (view: typeof one) => view.result.current.timeline.map(({ content }) => content);
    await waitFor(() => expect(contents(one)).toEqual(['before']), WAIT);
    await chat.send('after');
    await waitFor(() => expect(contents(one)).toEqual(['before', 'after']), WAIT);
    await waitFor(() => expect(contents(two)).toEqual(['before', 'after']), WAIT);
    expect(one.result.current.details?.name).toBe('live');
    const view = one.result.current;
    one.rerender();
    expect(one.result.current).toBe(view);
    two.unmount();
    await chat.removeMembers(bob.client.userId);
    await waitFor(() => expect(one.result.current).toMatchObject({ isRemoved: true, conversation: null }), WAIT);
    await chat.addMembers(bob.client.userId);
    await chat.send('again');
    await waitFor(() => expect(contents(one)).toEqual(['again']), WAIT);
    expect(one.result.current.isRemoved).toBe(false);
  });

  it('shows another one when its id changes, and says why one cannot be shown', async () => {
    const [first, second] = [await group('first'), await group('second')];
    await first.send('in the first');
    await second.send('in the second');
    const view = renderHook(({ id }: { id: string | null }) => useConversation(id), {
      wrapper: below(bob.client),
      initialProps: { id: first.id as string | null },
    });
    await waitFor(() => expect(view.result.current.timeline[0]?.content).toBe('in the first'), WAIT);
    view.rerender({ id: second.id });
    expect(view.result.current.timeline).toEqual([]);
    await waitFor(() => expect(view.result.current.timeline[0]?.content).toBe('in the second'), WAIT);
    view.rerender({ id: null });
    expect(view.result.current.conversation).toBeNull();
    view.rerender({ id: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91' });
    await waitFor(() => expect(view.result.current.error?.code).toBe('not_found'), WAIT);
  });

  it('tries again with the next connection what the network kept from it', async () => {
    const late = await trial.again(bob);
    const elsewhere = await trial.again(ada);
    await waitFor(() => expect(late.connectionState.status).toBe('connected'), WAIT);
    trial.proxy.refuse();
    trial.proxy.cut();
    // Made where this client cannot hear of it.
    const { TestUser } = await import('../../../test/clients/test-user.js');
    const maker = await TestUser.signUp(trial.app.url);
    const made = await maker.rest.call('POST', '/v1/conversations', {
      body: { type: 'group', memberIds: [late.userId, elsewhere.userId], name: 'unheard of' },
    });
    const { conversationId } = made.json as { conversationId: string };
    const view = seenBy(late, () => useConversation(conversationId));
    await waitFor(() => expect(view.result.current.error?.retryable).toBe(true), WAIT);
    await trial.proxy.heal();
    late.reconnect();
    await waitFor(() => expect(view.result.current.details?.name).toBe('unheard of'), WAIT);
    expect(view.result.current.error).toBeNull();
  });
});

describe('useTyping and usePresence', () => {
  it('show who types and who is there', async () => {
    const chat = await group('typing');
    const typing = seenBy(bob.client, () => useTyping(chat.id));
    const presence = seenBy(bob.client, () => usePresence([ada.client.userId]));
    await waitFor(() => expect(presence.result.current.get(ada.client.userId)?.status).toBe('online'), WAIT);
    await waitFor(() => expect(bob.client.conversations.some(({ name }) => name === 'typing')).toBe(true), WAIT);
    await waitFor(() => {
      chat.setTyping();
      expect(typing.result.current).toEqual([ada.client.userId]);
    }, WAIT);
    await chat.send('typed');
    await waitFor(() => expect(typing.result.current).toEqual([]), WAIT);
  });

  it('show who types also to somebody who was taken out and came back, and not who did long ago', async () => {
    const chat = await group('typing again');
    const view = (mode: 'visible' | 'hidden') => createElement(Activity, { mode, children: createElement(Look) });
    let typing: readonly string[] = [];
    function Look() {
      typing = useTyping(chat.id);
      return null;
    }
    const look = render(view('visible'), { wrapper: below(bob.client) });
    const seesTyping = async (): Promise<void> => {
      await waitFor(() => {
        chat.setTyping();
        expect(typing).toEqual([ada.client.userId]);
      }, WAIT);
    };
    await seesTyping();
    await chat.removeMembers(bob.client.userId);
    await waitFor(() => expect(typing).toEqual([]), WAIT);
    await chat.addMembers(bob.client.userId);
    await seesTyping();
    look.rerender(view('hidden'));
    const bobs = await bob.client.conversation(chat.id);
    chat.setTyping(false);
    await waitFor(() => expect(bobs.typingUserIds).toEqual([]), WAIT);
    look.rerender(view('visible'));
    await waitFor(() => expect(typing).toEqual([]), WAIT);
  });
});
