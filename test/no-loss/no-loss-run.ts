import { setTimeout as delay } from 'node:timers/promises';
import { TestUser } from '../clients/test-user.js';
import type { Conversation } from '@parley/contracts';
import { recordStores } from './final-rows.js';
import type { HistoryEvent } from './history.js';
import { HistoryRecorder } from './history.js';
import { LoadDevice } from './load-device.js';
import { LoadHabits } from './load-habits.js';
import { ServerProcess } from './server-process.js';

const USERS = 5;
const CONVERSATIONS = 3;
const SENDERS_PER_DEVICE = 3;
const FAULT_TIMEOUT_MS = 40_000;
const RECOVERY_TIMEOUT_MS = 15_000;
const SETTLE_TIMEOUT_MS = 25_000;
const STOP_TIMEOUT_MS = 35_000;
const CUT_EVERY_MS = 900;
const ABSENCE_MS = 500;

export const FAIL_POINT_FAULTS = ['after-decide', 'during-commit', 'after-commit', 'after-broadcast'] as const;
/** A fail point of the server, its death at any time, or that of its database server. */
export type Fault = (typeof FAIL_POINT_FAULTS)[number] | 'kill' | 'kill-postgres';

export interface NoLossOptions {
  readonly dataDir: string;
  readonly faults: readonly Fault[];
  /** A sender's pause between two sends, on average. */
  readonly paceMs: number;
  /** How long the load goes on before each fault, and after the last. */
  readonly calmMs: number;
  readonly historyFile?: string;
}

export interface NoLossResult {
  readonly events: readonly HistoryEvent[];
  /** For each start after a fault. */
  readonly readyMs: readonly number[];
  readonly exitCode: number | null;
  readonly deadLetters: number;
}

/** A server, its users, and somebody who kills it; `run` gives the history of all of it. */
export class NoLossRun {
  private readonly history: HistoryRecorder;
  private readonly readyMs: number[] = [];
  private readonly devices: LoadDevice[] = [];
  private rooms: Conversation[] = [];
  private isOver = false;

  private constructor(
    private readonly server: ServerProcess,
    private readonly options: NoLossOptions,
  ) {
    this.history = new HistoryRecorder(options.historyFile);
  }

  static async run(options: NoLossOptions): Promise<NoLossResult> {
    const environment = { AUTH_ACCESS_TOKEN_SECONDS: '86400' };
    const run = new NoLossRun(await ServerProcess.prepare(options.dataDir, environment), options);
    try {
      return await run.runAll();
    } catch (error) {
      throw new Error(`The run broke off; the server's last words: ${run.server.lastWords}`, { cause: error });
    } finally {
      run.isOver = true;
      await Promise.all(run.devices.map((device) => device.stop()));
      await run.server.destroy();
    }
  }

  private async runAll(): Promise<NoLossResult> {
    const { faults, calmMs } = this.options;
    // A server that starts with a fail point may die while the users sign up: the first one has none.
    await this.server.start();
    const users = await this.settleIn();
    const habits = this.devices.map(
      (device) => new LoadHabits(device, this.history, this.options.paceMs, () => this.isOver),
    );
    const days = habits.flatMap((habit) => [
      ...Array.from({ length: SENDERS_PER_DEVICE }, () => habit.sendAllDay()),
      habit.readAllDay(),
      habit.lookAroundAllDay(),
      habit.editAllDay(),
    ]);
    const trouble = [this.cutAllDay(), this.removeAndAddAllDay(users)];
    for (const fault of faults) {
      await delay(calmMs);
      await this.strike(fault);
    }
    await delay(calmMs);
    this.isOver = true;
    await within(Promise.all([...days, ...trouble]), SETTLE_TIMEOUT_MS, 'The users did not come to rest');
    await this.everythingArrives(users[0] as TestUser);
    for (const habit of habits) for (const room of this.rooms) await habit.readEverything(room.conversationId);
    await Promise.all(this.devices.map((device) => device.stop()));
    this.server.signal('SIGTERM');
    const { code } = await this.server.end(STOP_TIMEOUT_MS);
    const { deadLetters } = await recordStores(this.options.dataDir, this.history);
    return { events: this.history.events, readyMs: this.readyMs, exitCode: code, deadLetters };
  }

  private async settleIn(): Promise<TestUser[]> {
    const { url } = this.server;
    const users: TestUser[] = [];
    for (let i = 0; i < USERS; i++) users.push(await TestUser.signUp(url, `User ${i}`));
    const [first, ...others] = users as [TestUser, ...TestUser[]];
    for (let i = 0; i < CONVERSATIONS; i++) this.rooms.push(await first.group(others, `Room ${i}`));
    // The first one has two devices.
    for (const [i, user] of [first, ...users].entries()) {
      const token = user.session.accessToken;
      this.devices.push(new LoadDevice(user.userId, `device-${i}`, token, url, this.history));
    }
    for (const device of this.devices) device.start();
    await until(
      () => this.devices.every(({ inbox }) => inbox.conversations.length === CONVERSATIONS),
      RECOVERY_TIMEOUT_MS,
    );
    return users;
  }

  private async strike(fault: Fault): Promise<void> {
    this.history.record({ type: 'fault', name: fault, phase: 'begin' });
    if (fault === 'kill-postgres') await this.killPostgres();
    else await this.killServer(fault);
    this.history.record({ type: 'fault', name: fault, phase: 'end' });
    await this.answersAgain();
  }

  private async killServer(fault: Exclude<Fault, 'kill-postgres'>): Promise<void> {
    if (fault === 'kill') this.server.signal('SIGKILL');
    else {
      // The fail point is armed by a start of its own, which is a fault too: the process before it is killed.
      this.server.signal('SIGKILL');
      await this.server.end(FAULT_TIMEOUT_MS);
      await this.server.start(`${fault}:${50 + Math.floor(Math.random() * 150)}`);
    }
    const { signal } = await this.server.end(FAULT_TIMEOUT_MS);
    if (signal === 'SIGKILL') this.history.record({ type: 'fault', name: fault, phase: 'effect' });
    this.readyMs.push(await this.server.start());
  }

  private async killPostgres(): Promise<void> {
    const pid = await this.server.postmaster();
    if (pid === undefined) throw new Error('There is no database server to kill');
    process.kill(pid, 'SIGKILL');
    const isAnother = async (): Promise<boolean> => ![undefined, pid].includes(await this.server.postmaster());
    await until(isAnother, FAULT_TIMEOUT_MS);
    this.history.record({ type: 'fault', name: 'kill-postgres', phase: 'effect' });
  }

  private async answersAgain(): Promise<void> {
    const from = this.history.events.length;
    const isAnswered = (): boolean => this.history.events.slice(from).some(({ type }) => type === 'stored');
    await until(isAnswered, RECOVERY_TIMEOUT_MS).catch(() => {});
  }

  private async cutAllDay(): Promise<void> {
    while (!this.isOver) {
      await delay(CUT_EVERY_MS);
      this.devices[Math.floor(Math.random() * this.devices.length)]?.cut();
    }
  }

  /** The last user is taken out of the first room and comes back, over and over. */
  private async removeAndAddAllDay(users: readonly TestUser[]): Promise<void> {
    const [admin, victim, room] = [users[0], users.at(-1), this.rooms[0]];
    if (!admin || !victim || !room) return;
    const change = (body: object): Promise<Conversation> => patiently(() => admin.members(room.conversationId, body));
    const place = { user: victim.userId, conversation: room.conversationId };
    while (!this.isOver) {
      await delay(ABSENCE_MS * 3);
      const { lastSeq } = await change({ remove: [victim.userId] });
      this.history.record({ type: 'removed', ...place, lastSeq });
      await delay(ABSENCE_MS);
      this.history.record({ type: 'returning', ...place });
      await change({ add: [victim.userId] });
      const { visibleFromSeq } = await patiently(() => victim.conversation(room.conversationId));
      this.history.record({ type: 'returned', ...place, visibleFromSeq });
    }
  }

  /** Every device has every message: by live events, heads and its own syncs, without being told to. */
  private async everythingArrives(first: TestUser): Promise<void> {
    const lastSeqs = new Map<string, number>();
    for (const { conversationId } of this.rooms) {
      const { lastSeq } = await first.conversation(conversationId);
      lastSeqs.set(conversationId, lastSeq);
    }
    const isComplete = ({ inbox }: LoadDevice): boolean =>
      [...lastSeqs].every(([conversation, lastSeq]) => inbox.nextOf(conversation) === lastSeq + 1);
    // What is not there by then, the checker finds.
    await until(() => this.devices.every(isComplete), SETTLE_TIMEOUT_MS).catch(() => {});
  }
}

/** Tries until it succeeds: what is asked for may be asked for twice. */
async function patiently<Value>(act: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await act();
    } catch {
      await delay(100);
    }
  }
}

async function until(isSo: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain`);
    await delay(20);
  }
}

async function within<Value>(promise: Promise<Value>, timeoutMs: number, otherwise: string): Promise<Value> {
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => Promise.reject(new Error(otherwise)));
  return Promise.race([promise, late]);
}
