// A set of engines in one temporary folder, with a file that says what runs where.
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { EngineError } from './engine-error.mjs';
import { EngineNode, engines, freePorts } from './engine-node.mjs';
import { isRunning, thisProcess } from './processes.mjs';

const STATE_FILE = 'engines.json';
const LOCK_FILE = 'busy';
const OWNED_PREFIX = 'parley-engines-owned-';
const SET_NAME = /^[a-z0-9-]{1,30}$/;

/** Engines that were started together, or one after the other under the name of a set. */
export class EngineSet {
  #owner;
  #nodes = new Map();
  #writing = Promise.resolve();

  constructor(folder, owner, records) {
    this.folder = folder;
    this.#owner = owner;
    for (const record of records) this.#add(record);
  }

  /** A set that ends with this process, however that ends. Sets of dead processes are cleared away first. */
  static async owned() {
    await removeOrphans();
    const folder = await mkdtemp(join(tmpdir(), OWNED_PREFIX));
    await openToServers(folder);
    return new EngineSet(folder, thisProcess(), []);
  }

  /**
   * The set of this name, which stays until somebody ends it: what runs of it is found again.
   * @throws EngineError when another user has it
   */
  static async named(name) {
    if (!SET_NAME.test(name))
      throw new EngineError(`"${name}" does not name a set: lower-case letters, digits, dashes.`);
    const folder = join(tmpdir(), `parley-engines-${userName()}-${name}`);
    await mkdir(folder, { mode: 0o700 }).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const entry = await lstat(folder);
    if (!entry.isDirectory() || entry.uid !== process.getuid())
      throw new EngineError(`${folder} is in the way: it belongs to somebody else. Take another name for the set.`);
    await openToServers(folder);
    return new EngineSet(folder, undefined, (await readState(folder)).engines);
  }

  get stateFile() {
    return join(this.folder, STATE_FILE);
  }

  get nodes() {
    return [...this.#nodes.values()];
  }

  /** The environment variables of the engines that were started; several nodes of one are joined by commas. */
  get env() {
    const addresses = {};
    for (const node of this.nodes) {
      if (!node.record.process) continue;
      const { variable } = engines[node.record.engine];
      addresses[variable] = addresses[variable] ? `${addresses[variable]},${node.address}` : node.address;
    }
    return addresses;
  }

  /** Starts these engines, those that run already excepted, all at once. When one fails, the new ones are stopped. */
  async start(names, started = () => undefined) {
    const unknown = names.filter((name) => !(name in engines));
    if (unknown.length > 0) {
      const all = Object.keys(engines).join(', ');
      throw new EngineError(`There is no engine called ${unknown.join(', ')}. There are: ${all}.`);
    }
    const nodes = names.map((name) => this.#nodes.get(name) ?? this.#add(this.#newRecord(name, name, '127.0.0.1')));
    await this.#startTogether(nodes, started);
    return nodes;
  }

  /** A cluster of Cassandra nodes on 127.0.0.1, 127.0.0.2, …, which all know each other when this returns. */
  async startCassandraCluster(size) {
    const hosts = Array.from({ length: size }, (_, index) => `127.0.0.${index + 1}`);
    const ports = await freePorts(engines.cassandra.portNames, hosts);
    const records = hosts.map((host, index) => this.#newRecord('cassandra', `cassandra-${index + 1}`, host));
    const nodes = records.map((record) => this.#add({ ...record, ports, cluster: { hosts } }));
    await this.#startTogether(nodes, () => undefined);
    return nodes;
  }

  /** Stops all, or those named, and removes their folders; the last one takes the set's folder with it. */
  async stop(names) {
    const nodes = this.nodes.filter(({ name }) => names === undefined || names.includes(name));
    const outcomes = await Promise.allSettled(nodes.map((node) => node.stop()));
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
    for (const node of nodes) {
      await rm(node.record.folder, { recursive: true, force: true });
      this.#nodes.delete(node.name);
    }
    if (this.#nodes.size > 0) await this.#save();
    else await rm(this.folder, { recursive: true, force: true });
    return nodes.map(({ name }) => name);
  }

  /** @throws EngineError when another process is changing this set; returns what ends the exclusion */
  async lock() {
    const file = join(this.folder, LOCK_FILE);
    for (;;) {
      try {
        await writeFile(file, JSON.stringify(thisProcess()), { flag: 'wx' });
        return () => this.#unlock(file);
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = await readJson(file);
      if (holder && isRunning(holder))
        throw new EngineError(`Process ${holder.pid} is starting or stopping engines of this set: wait for it.`);
      await rm(file, { force: true });
    }
  }

  async #unlock(file) {
    await rm(file, { force: true });
    // A set that was only looked at leaves no empty folder.
    await rmdir(this.folder).catch((error) => {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code)) throw error;
    });
  }

  #newRecord(engine, name, host) {
    return { engine, name, host, folder: join(this.folder, name), cluster: { hosts: [host] } };
  }

  #add(record) {
    const node = new EngineNode(record, { isOwned: this.#owner !== undefined, changed: () => this.#save() });
    this.#nodes.set(record.name, node);
    return node;
  }

  async #startTogether(nodes, started) {
    const wereRunning = new Set(nodes.filter((node) => node.isRunning));
    const starts = nodes.map(async (node) => {
      const began = performance.now();
      await node.start();
      started(node, performance.now() - began);
    });
    const outcomes = await Promise.allSettled(starts);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (!failed) return;
    await Promise.allSettled(nodes.filter((node) => !wereRunning.has(node)).map((node) => node.stop()));
    throw failed.reason;
  }

  /** One writing at a time, each of all there is by then. */
  async #save() {
    this.#writing = this.#writing.then(async () => {
      const text = JSON.stringify({ owner: this.#owner, engines: this.nodes.map(withAddress) }, undefined, 2);
      await writeFile(`${this.stateFile}.new`, `${text}\n`, { mode: 0o600 });
      await rename(`${this.stateFile}.new`, this.stateFile);
    });
    return this.#writing;
  }
}

/** The names of the engines whose variable is not set, but for those that whoever needs them starts. */
export function missingEngines(env) {
  return Object.keys(engines).filter((name) => !engines[name].onDemand && !env[engines[name].variable]);
}

function withAddress(node) {
  return node.record.ports ? { ...node.record, url: node.address } : node.record;
}

/** Stops the engines of processes that are gone and removes their folders. */
export async function removeOrphans(folder = tmpdir()) {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(OWNED_PREFIX)) continue;
    const state = await readState(join(folder, name)).catch(() => undefined);
    if (!state?.owner || isRunning(state.owner)) continue;
    await new EngineSet(join(folder, name), state.owner, state.engines).stop();
  }
}

/** Servers that run as another user pass through the folder of the set, and see nothing but what is theirs. */
async function openToServers(folder) {
  await chmod(folder, process.getuid() === 0 ? 0o711 : 0o700);
}

async function readState(folder) {
  return (await readJson(join(folder, STATE_FILE))) ?? { owner: undefined, engines: [] };
}

/** @returns undefined when there is no such file @throws EngineError when it holds something else than JSON */
async function readJson(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new EngineError(`${file} is damaged: end the engines that run, by their process ids, and remove it.`);
  }
}

/** A user id need not have a name. */
function userName() {
  try {
    return userInfo().username.replaceAll(/[^\w-]/g, '_');
  } catch {
    return `${process.getuid()}`;
  }
}
