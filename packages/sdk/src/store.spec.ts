import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultStore, indexedDbStore, keyValueStore, memoryStore, type ParleyStore } from './store.js';

function storage(values = new Map<string, string>()) {
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
    getAllKeys: () => [...values.keys()],
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Each opens the same place again; in memory there is nothing to open again. */
const stores: [string, () => () => ParleyStore][] = [
  [
    'memory',
    () =>
      (
        (store) => () =>
          store
      )(memoryStore()),
  ],
  [
    'a storage of keys and texts',
    () =>
      (
        (kept) => () =>
          keyValueStore(kept, 'spec')
      )(storage()),
  ],
  [
    'IndexedDB',
    () => {
      vi.stubGlobal('indexedDB', new IDBFactory());
      const name = randomUUID();
      return () => indexedDbStore(name);
    },
  ],
];

describe.each(stores)('a store in %s', (_name, place) => {
  it('gives what was set, also to who opens it again, until it is deleted', async () => {
    const open = place();
    const store = open();
    expect(await store.get('a')).toBeNull();
    // A lone surrogate is no valid text, and must come back as it was written all the same.
    const odd = `lone \ud800, emoji 😀, NUL \0, ${'long '.repeat(50_000)}`;
    await store.set('a', 'first');
    await store.set('a', odd);
    expect(await open().get('a')).toBe(odd);
    await store.delete('a');
    await store.delete('a');
    expect(await open().get('a')).toBeNull();
  });

  it('lists the keys that begin so, in order', async () => {
    const store = place()();
    for (const key of ['outbox/2', 'outbox/10', 'outbox/1', 'outboxes', 'state']) await store.set(key, 'x');
    expect(await store.keys('outbox/')).toEqual(['outbox/1', 'outbox/10', 'outbox/2']);
    expect(await store.keys('none')).toEqual([]);
  });

  it('takes many writes at once', async () => {
    const store = place()();
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.set(`key ${i}`, `${i}`)));
    expect(await store.keys('key')).toHaveLength(200);
    expect(await store.get('key 199')).toBe('199');
  });

  it('gives a lock to one at a time', async () => {
    const open = place();
    const [one, two] = [open(), open()];
    const name = randomUUID();
    const release = await one.tryLock(name);
    expect(release).not.toBeNull();
    expect(await two.tryLock(name)).toBeNull();
    expect(await two.tryLock(`${name} of another`)).not.toBeNull();
    release?.();
    await expect.poll(async () => (await two.tryLock(name)) !== null).toBe(true);
  });
});

describe('a store in IndexedDB', () => {
  let databases: InstanceType<typeof IDBFactory>;
  beforeEach(() => vi.stubGlobal('indexedDB', (databases = new IDBFactory())));

  it('works when the browser does again, after it could not open it', async () => {
    const store = indexedDbStore();
    const open = vi.spyOn(databases, 'open').mockImplementation(() => {
      const request = { error: new Error('not now'), onerror: (): void => {} };
      queueMicrotask(() => request.onerror());
      return request as never;
    });
    await expect(store.set('a', 'lost')).rejects.toThrow('not now');
    open.mockRestore();
    await store.set('a', 'kept');
    expect(await store.get('a')).toBe('kept');
  });

  it('goes on when the browser has ended its connection, and lets the database be deleted', async () => {
    const opened: { close: () => void }[] = [];
    const open = databases.open.bind(databases);
    vi.spyOn(databases, 'open').mockImplementation((name: string, version?: number) => {
      const request = open(name, version);
      request.addEventListener('success', () => opened.push(request.result));
      return request;
    });
    const store = indexedDbStore();
    await store.set('a', 'before');
    opened[0]?.close();
    await Promise.all([store.set('b', 'one'), store.set('c', 'two')]);
    expect(await store.keys('')).toEqual(['a', 'b', 'c']);
    await new Promise((done, fail) => {
      const request = databases.deleteDatabase('parley');
      request.addEventListener('success', done);
      request.addEventListener('blocked', () => fail(new Error('blocked')));
    });
    expect(await store.get('a')).toBeNull();
  });

  it('does not say that it has kept what the disk refused in the end', async () => {
    const store = indexedDbStore();
    const { put } = IDBObjectStore.prototype;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: unknown,
      value: unknown,
      key: unknown,
    ) {
      const table = this as InstanceType<typeof IDBObjectStore>;
      const request = put.call(table, value, key);
      request.addEventListener('success', () => table.transaction.abort());
      return request;
    });
    await expect(store.set('a', 'too much')).rejects.toBeDefined();
    vi.restoreAllMocks();
    expect(await store.get('a')).toBeNull();
  });
});

describe('a lock of the platform', () => {
  it('is held across threads, as across tabs, and is free when its holder is gone', async () => {
    const [place, name] = [randomUUID(), randomUUID()];
    const holder = new Worker(
      `const { parentPort } = require('node:worker_threads');
       navigator.locks.request(${JSON.stringify(`${place}:${name}`)}, () => {
         parentPort.postMessage('held');
         return new Promise(() => setInterval(() => {}, 1000));
       });`,
      { eval: true },
    );
    await new Promise((done) => holder.once('message', done));
    const store = keyValueStore(storage(), place);
    expect(await store.tryLock(name)).toBeNull();
    await holder.terminate();
    await expect.poll(async () => (await store.tryLock(name)) !== null, { timeout: 5_000 }).toBe(true);
  });
});

describe('the default store', () => {
  it('is IndexedDB where there is one, and says so when it cannot be used', async () => {
    await defaultStore().set('a', 'in memory');
    const databases = new IDBFactory();
    vi.stubGlobal('indexedDB', databases);
    await defaultStore().set('a', 'b');
    expect(await databases.databases()).toEqual([{ name: 'parley', version: 1 }]);
    vi.stubGlobal('indexedDB', undefined);
    await expect(indexedDbStore().get('a')).rejects.toThrow('There is no IndexedDB here');
  });
});
