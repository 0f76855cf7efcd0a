import { setTimeout as delay } from 'node:timers/promises';
import { TestUser } from '../clients/test-user.js';
import { ConversationSchema, type Conversation } from '@parley/contracts';
import type { HistoryEvent } from './history.js';
import { HistoryRecorder } from './history.js';
import { LoadDevice } from './load-device.js';
import { LoadHabits } from './load-habits.js';
import { until, type ServerUnderTest } from './server-under-test.js';

const USERS = 5;
const CONVERSATIONS = 3;
const SENDERS_PER_DEVICE = 3;
const RECOVERY_TIMEOUT_MS = 15_000;
/** A send whose end was lost is sent again after ten seconds, and waits for its end once more. */
const SETTLE_TIMEOUT_MS = 45_000;
const CUT_EVERY_MS = 900;
const ABSENCE_MS = 500;

export interface NoLossOptions {
  /** Prepared, not started; it is gone after the run. */
  readonly server: ServerUnderTest;
  readonly faults: readonly string[];
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

/** A server, its users, and somebody who does it harm; `run` gives the history of all of it. */
export class NoLossRun {
  private readonly history: HistoryRecorder;
  private readonly devices: LoadDevice[] = [];
  private rooms: Conversation[] = [];
  private isOver = false;

  private constructor(
    private readonly server: ServerUnderTest,
    private readonly options: NoLossOptions,
  ) {
    this.history = new HistoryRecorder(options.historyFile);
  }

  static async run(options: NoLossOptions): Promise<NoLossResult> {
    const run = new NoLossRun(options.server, options);
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
    const exitCode = await this.server.stop();
    const { deadLetters } = await this.server.recordStores(this.history);
    return { events: this.history.events, readyMs: this.server.readyMs, exitCode, deadLetters };
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

  private async strike(name: string): Promise<void> {
    this.history.record({ type: 'fault', name, phase: 'begin' });
    await this.server.strike(name, () => this.history.record({ type: 'fault', name, phase: 'effect' }));
    this.history.record({ type: 'fault', name, phase: 'end' });
    await this.answersAgain();
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
    const rename = (name: string): Promise<Conversation> =>
      patiently(() =>
        admin.rest.want(200, ConversationSchema, 'PATCH', `/v1/conversations/${room.conversationId}`, { name }),
      );
    for (let absence = 1; !this.isOver; absence++) {
      await delay(ABSENCE_MS * 3);
      this.history.record({ type: 'removing', ...place });
      const { lastSeq } = await change({ remove: [victim.userId] });
      this.history.record({ type: 'removed', ...place, lastSeq });
      // Every other time, changes of the absence and the return are decided, committed and broadcast close together.
      const names = absence % 2 === 0 ? ['empty', 'emptier', 'not empty'] : [];
      if (names.length === 0) await delay(ABSENCE_MS);
      this.history.record({ type: 'returning', ...place });
      await Promise.all([...names.map(rename), change({ add: [victim.userId] })]);
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

async function within<Value>(promise: Promise<Value>, timeoutMs: number, otherwise: string): Promise<Value> {
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => Promise.reject(new Error(otherwise)));
  return Promise.race([promise, late]);
}
