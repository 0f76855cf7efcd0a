// One running engine: its folder, its ports, its process.
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cassandra } from './cassandra.mjs';
import { keepClassArchive } from './class-archive.mjs';
import { freePort } from './connections.mjs';
import { EngineError } from './engine-error.mjs';
import { kafka } from './kafka.mjs';
import { postgres } from './postgres.mjs';
import { isRunning, kill, launch, signal, stop, within } from './processes.mjs';
import { lastLines } from './programs.mjs';
import { redis } from './redis.mjs';
import { s3 } from './s3.mjs';

/** Every engine there is, by its name. */
export const engines = { kafka, cassandra, redis, postgres, s3 };

const READY_TIMEOUT_MS = 120_000;
/** Somebody may take a port between the look at it and the start. */
const FIRST_START_ATTEMPTS_MAX = 3;

/** An engine's process, which can be stopped, killed, paused, and started again on its data at the same address. */
export class EngineNode {
  #isOwned;
  #changed;

  /**
   * @param record what is remembered: engine, name, host, folder, cluster, and once it was started ports and process
   * @param isOwned whether it dies with this process
   * @param changed called, and waited for, when the record has changed
   */
  constructor(record, { isOwned, changed }) {
    this.record = record;
    this.#isOwned = isOwned;
    this.#changed = changed;
  }

  get name() {
    return this.record.name;
  }

  get pid() {
    return this.record.process?.pid;
  }

  get logFile() {
    return this.record.logFile;
  }

  /** Where clients connect to, in the form of its environment variable. */
  get address() {
    return this.#engine.address(this.record);
  }

  get isRunning() {
    return this.record.process !== undefined && isRunning(this.record.process);
  }

  get #engine() {
    return engines[this.record.engine];
  }

  /** Starts it, unless it runs, and returns when it answers. @throws EngineError with the end of its log. */
  async start() {
    if (this.isRunning) return this.#untilReady();
    const installation = await this.#engine.install();
    if (this.record.isConfigured) return this.#launch(installation);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#configure(installation);
        return await this.#launch(installation);
      } catch (error) {
        if (attempt === FIRST_START_ATTEMPTS_MAX || !/in use|bind/i.test(error.message)) throw error;
        await this.#forget();
      }
    }
  }

  /** Asks it to end, and kills it when it does not. */
  async stop() {
    const { process: running, archive } = this.record;
    if (!running) return;
    const { stopRequest, stopTimeoutMs } = this.#engine;
    const wasRunning = isRunning(running);
    const endedByItself = await stop(running, { request: stopRequest, timeoutMs: stopTimeoutMs });
    if (archive) await keepClassArchive(archive, wasRunning && endedByItself);
    await this.#update({ process: undefined, archive: undefined });
  }

  /** Ends it at once, as a crash would (SIGKILL). */
  async kill() {
    const { process: running, archive } = this.record;
    if (!running) return;
    await kill(running);
    if (archive) await keepClassArchive(archive, false);
    await this.#update({ process: undefined, archive: undefined });
  }

  /** Halts it without ending it (SIGSTOP): connections stay open and nobody answers. */
  pause() {
    if (this.record.process) signal(this.record.process, 'SIGSTOP');
  }

  /** Lets a halted one go on. */
  resume() {
    if (this.record.process) signal(this.record.process, 'SIGCONT');
  }

  async #configure(installation) {
    const { folder, host, cluster } = this.record;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const ports = this.record.ports ?? (await freePorts(this.#engine.portNames, cluster?.hosts ?? [host]));
    await this.#update({ ports, logFile: join(folder, '..', `${this.name}.log`) });
    await this.#engine.configure(this.record, installation);
    await this.#update({ isConfigured: true });
  }

  async #launch(installation) {
    const { folder, logFile } = this.record;
    const { archive, ...command } = await this.#engine.command(this.record, installation);
    const { keepsMemory } = this.#engine;
    // The end of an earlier life must not be taken for news of this one.
    const logOffset = await sizeOf(logFile);
    const running = await launch({ ...command, cwd: folder, logFile, keepsMemory, isOwned: this.#isOwned });
    await this.#update({ process: running, archive, logOffset });
    await this.#untilReady();
  }

  async #untilReady() {
    const isReady = await within(READY_TIMEOUT_MS, async () => {
      if (!this.isRunning) throw new EngineError(`${this.name} ended while it started:\n${await this.#logEnd()}`);
      return this.#engine.isReady(this.record);
    });
    if (isReady) return;
    throw new EngineError(`${this.name} was not ready within ${READY_TIMEOUT_MS / 1000} s:\n${await this.#logEnd()}`);
  }

  async #forget() {
    await this.kill();
    await rm(this.record.folder, { recursive: true, force: true });
    await this.#update({ isConfigured: false, ports: undefined });
  }

  async #logEnd() {
    const text = await readFile(this.record.logFile, 'utf8').catch(() => '');
    return `${lastLines(text)}\n(all of it: ${this.record.logFile})`;
  }

  async #update(changes) {
    Object.assign(this.record, changes);
    await this.#changed();
  }
}

/** Ports with the same number at each of the addresses. */
export async function freePorts(names, hosts) {
  const ports = {};
  const taken = new Set();
  for (const name of names) {
    ports[name] = await freePort(hosts, taken);
    taken.add(ports[name]);
  }
  return ports;
}

async function sizeOf(file) {
  await (await open(file, 'a')).close();
  return (await stat(file)).size;
}
