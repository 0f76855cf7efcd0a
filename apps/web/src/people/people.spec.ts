import type { Conversation, User } from '@parley/sdk';
import { expect, it, vi } from 'vitest';
import { People } from './people.js';

it('asks for four at a time, and for each once', async () => {
  const waiting: ((user: User) => void)[] = [];
  const user = vi.fn<(userId: string) => Promise<User>>(() => new Promise((done) => waiting.push(done)));
  const people = new People({ user, on: () => () => undefined, conversations: [] as readonly Conversation[] });
  for (let number = 0; number < 10; number++) {
    people.find(`u${number}`);
    people.find(`u${number}`);
  }
  expect(user).toHaveBeenCalledTimes(4);
  const told = vi.fn<() => void>();
  people.subscribe(told);
  for (let answered = 0; answered < 10; answered++) {
    const { userId } = { userId: user.mock.calls[answered]?.[0] ?? '' };
    waiting[answered]?.({ userId } as User);
    await vi.waitFor(() => expect(people.known(userId)).toBeDefined());
    await vi.waitFor(() => expect(user).toHaveBeenCalledTimes(Math.min(10, answered + 5)));
  }
  expect(new Set(user.mock.calls.flat()).size).toBe(10);
  expect(told).toHaveBeenCalledTimes(10);
});
