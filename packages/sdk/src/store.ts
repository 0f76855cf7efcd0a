/**
 * Where a client keeps what must survive a reload: unsent messages, the session, the last known state. Values are text.
 * Several clients (tabs) may share one. A rejected call is reported once and the client goes on without the store.
 */
export interface ParleyStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that begin so, in order. */
  keys(prefix: string): Promise<string[]>;
  /**
   * A lock among all who share this store, held until the returned function is called or the holder is gone (a closed
   * tab, an ended process); null when somebody else holds it.
   */
  tryLock(name: string): Promise<(() => void) | null>;
}

/** What `AsyncStorage` of React Native and `localStorage` have in common. */
export interface KeyValueStorage {
  getItem(key: string): Promise<string | null> | string | null;
  setItem(key: string, value: string): Promise<void> | void;
  removeItem(key: string): Promise<void> | void;
  getAllKeys(): Promise<readonly string[]> | readonly string[];
}

/** @returns what lets go of a name; null when it is held already */
function take(held: Set<string>, name: string): (() => void) | null {
  if (held.has(name)) return null;
  held.add(name);
  return () => held.delete(name);
}

/** Keeps nothing beyond the process: the default where there is no IndexedDB. */
export function memoryStore(): ParleyStore {
  const values = new Map<string, string>();
  const held = new Set<string>();
  return {
    get: async (key) => values.get(key) ?? null,
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
    keys: async (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
    tryLock: async (name) => take(held, name),
  };
}

const heldInProcess = new Set<string>();

/** Locks of the browser's tabs where it has them (`navigator.locks`), otherwise of this process. */
function platformLock(scope: string, name: string): Promise<(() => void) | null> {
  const locks = (globalThis as { navigator?: { locks?: PlatformLocks } }).navigator?.locks;
  const whole = `${scope}:${name}`;
  if (!locks) return Promise.resolve(take(heldInProcess, whole));
  return new Promise((done, fail) => {
    const work = (lock: unknown): Promise<void> | undefined => {
      if (lock === null) {
        done(null);
        return undefined;
      }
      return new Promise<void>((release) => done(release));
    };
    locks.request(whole, { ifAvailable: true }, work).catch(fail);
  });
}

interface PlatformLocks {
  request(name: string, options: { ifAvailable: true }, work: (lock: unknown) => unknown): Promise<unknown>;
}

/** On any storage of keys and texts; `name` tells several clients on one storage apart. */
export function keyValueStore(storage: KeyValueStorage, name = 'parley'): ParleyStore {
  const at = (key: string): string => `${name}/${key}`;
  return {
    get: async (key) => storage.getItem(at(key)),
    set: async (key, value) => storage.setItem(at(key), value),
    delete: async (key) => storage.removeItem(at(key)),
    async keys(prefix) {
      const all = await storage.getAllKeys();
      return all
        .filter((key) => key.startsWith(at(prefix)))
        .map((key) => key.slice(name.length + 1))
        .sort();
    },
    tryLock: (lock) => platformLock(name, lock),
  };
}

/** The parts of IndexedDB that are used; this package needs no DOM types. */
interface Request<Value> {
  result: Value;
  error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface Transaction {
  error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): ObjectStore;
}
interface Database {
  onversionchange: (() => void) | null;
  createObjectStore(name: string): unknown;
  transaction(name: string, mode: 'readonly' | 'readwrite'): Transaction;
  close(): void;
}
interface ObjectStore {
  get(key: string): Request<unknown>;
  put(value: string, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
  getAllKeys(): Request<unknown>;
}
interface DatabaseFactory {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null };
}

const TABLE = 'values';

/** IndexedDB of the browser. What was set is there when it says so; a connection that the browser ended is made anew. */
export function indexedDbStore(name = 'parley'): ParleyStore {
  let opened: Promise<Database> | null = null;
  const open = (): Promise<Database> =>
    new Promise((done, fail) => {
      const factory = (globalThis as { indexedDB?: DatabaseFactory }).indexedDB;
      if (!factory) throw new Error('There is no IndexedDB here');
      const request = factory.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        // Whoever deletes the database would wait for ever.
        request.result.onversionchange = () => request.result.close();
        done(request.result);
      };
    });
  const run = async (
    mode: 'readonly' | 'readwrite',
    work: (table: ObjectStore) => Request<unknown>,
    isLast = false,
  ): Promise<unknown> => {
    const database = (opened ??= open());
    try {
      const transaction = (await database).transaction(TABLE, mode);
      const request = work(transaction.objectStore(TABLE));
      // A full disk may refuse it after the request has succeeded.
      await new Promise<void>((done, fail) => {
        transaction.oncomplete = done;
        transaction.onabort = () => fail(transaction.error);
      });
      return request.result;
    } catch (cause) {
      if (opened === database) opened = null;
      if (isLast) throw cause;
      return run(mode, work, true);
    }
  };
  return {
    get: async (key) => ((await run('readonly', (table) => table.get(key))) as string | undefined) ?? null,
    set: async (key, value) => void (await run('readwrite', (table) => table.put(value, key))),
    delete: async (key) => void (await run('readwrite', (table) => table.delete(key))),
    async keys(prefix) {
      const all = (await run('readonly', (table) => table.getAllKeys())) as string[];
      return all.filter((key) => key.startsWith(prefix)).sort();
    },
    tryLock: (lock) => platformLock(name, lock),
  };
}

/** IndexedDB where there is one, otherwise memory. */
export function defaultStore(): ParleyStore {
  return 'indexedDB' in globalThis ? indexedDbStore() : memoryStore();
}
