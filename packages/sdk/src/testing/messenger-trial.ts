import assert from 'node:assert/strict';
import type { ServerEvent } from '../ports.js';
import { NO_FAULTS, type Faults } from './faulty-network.js';
import { ModelServer } from './model-server.js';
import { TrialDevice } from './trial-device.js';
import { VirtualClock } from './virtual-clock.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';
const CAT = '0190a6c4-0000-7000-8000-00000000000c';
const NAMES = ['ada-phone', 'ada-laptop'];
/** More than two pages of a sync, and more than one. */
const MANY_MIN = 90;
const MANY_MAX = 260;

/** What shows a device that it is behind. */
export type Recovery = 'reconnection' | 'heads' | 'message';

/** Of one device where it matters; `much` says which, or how many. */
export interface TrialStep {
  readonly do: keyof typeof work;
  readonly much: number;
  readonly device: number;
}

/** One run: a server, others who write there, and a user with two devices behind bad networks. */
export class MessengerTrial {
  readonly clock = new VirtualClock();
  readonly server = new ModelServer([ADA, BOB]);
  readonly devices: TrialDevice[];
  private posted = 0;

  constructor(seed: number, before: number) {
    for (let i = 0; i < before; i++) this.post();
    this.devices = NAMES.map((name, i) => new TrialDevice(name, this.server, this.clock, ADA, seed + i));
    this.server.onEvent = (event, by) => this.tell(event, by);
  }

  /** As the real one: a message not to the socket that sent it, and nothing to somebody who does not belong to it. */
  private tell(event: ServerEvent, by: string): void {
    if (!this.server.isMember && event.name !== 'conversation_removed') return;
    for (const { name, client } of this.devices) if (event.name !== 'new_message' || name !== by) client.deliver(event);
  }

  async start(): Promise<void> {
    for (const device of this.devices) await device.start();
    await this.clock.advance(100);
  }

  async stop(): Promise<void> {
    for (const { client } of this.devices) await client.messenger.stop();
  }

  setFaults(faults: Faults): void {
    for (const { client } of this.devices) client.faults = faults;
  }

  post(): void {
    this.posted++;
    this.server.post(BOB, `from bob ${this.posted}`, `bob-${this.posted}`);
  }

  /** A message of the server; for odd numbers one that a device shows, for some one that it looked up. */
  seqOf({ much, device }: TrialStep): number {
    const shown = this.devices[device]?.track?.shown?.items ?? [];
    const lookedUp = [...(this.devices[device]?.lookedUp ?? [])].at(-1);
    const found = much % 4 === 0 && this.server.messages.find(({ messageId }) => messageId === lookedUp);
    if (found) return found.seq;
    const one = much % 2 === 1 ? shown[much % Math.max(1, shown.length)] : undefined;
    return one?.seq ?? 1 + (much % Math.max(1, this.server.messages.length));
  }

  idOf(step: TrialStep): string {
    return this.server.messages[this.seqOf(step) - 1]?.messageId ?? '1';
  }

  async take(step: TrialStep): Promise<void> {
    const device = this.devices[step.device];
    if (!device) throw new Error(`No device ${step.device}`);
    await work[step.do](this, step, device);
    for (const { violations } of this.devices) if (violations.length > 0) throw violations[0];
  }

  /** The network is well again, and half a minute goes by until a device learns how far behind it is. */
  async recover(by: Recovery): Promise<void> {
    this.setFaults(NO_FAULTS);
    for (const { client } of this.devices) {
      if (by === 'reconnection') client.cut();
      client.connect();
    }
    await this.clock.advance(20_000);
    const { conversationId, isMember } = this.server;
    // A gateway finds by itself what nobody told it of; a sync tells it too.
    const removal = { name: 'conversation_removed' as const, payload: { conversationId } };
    if (!isMember && by !== 'reconnection') for (const { client } of this.devices) client.deliver(removal);
    else if (isMember && by === 'heads') for (const { client } of this.devices) client.deliver(this.server.heads());
    else if (isMember && by === 'message') this.post();
    await this.clock.advance(5_000);
  }

  jumpToLatest(): void {
    for (const device of this.devices) device.jumpToLatest();
  }

  expectEqual(): void {
    for (const device of this.devices) {
      if (device.violations.length > 0) throw device.violations[0];
      if (this.server.isMember) device.expectEqual();
    }
  }

  expectSettled(isToldOfMarks: boolean): void {
    const { messages } = this.server;
    for (const device of this.devices) {
      device.expectSettled(isToldOfMarks);
      const arrived = messages.flatMap(({ clientMsgId }) => (clientMsgId.startsWith(device.name) ? [clientMsgId] : []));
      assert.deepEqual(
        arrived,
        device.sent.filter((one) => !device.unsent.has(one)),
      );
    }
  }

  async expectNothingKept(): Promise<void> {
    for (const { client } of this.devices) {
      const failed = client.messenger.outbox.entries.length;
      assert.equal((await client.store.keys('outbox/')).length, failed, 'Sent messages are still kept');
    }
  }
}

const times = (count: number, act: () => void): void => {
  for (let i = 0; i < count; i++) act();
};
const manyOf = ({ much }: TrialStep): number => MANY_MIN + (much % (MANY_MAX - MANY_MIN));
type Work = (trial: MessengerTrial, step: TrialStep, device: TrialDevice) => void | Promise<void>;

const work = {
  post: (trial, { much }) => times(1 + (much % 4), () => trial.post()),
  postMany: (trial, step) => times(manyOf(step), () => trial.post()),
  send: async (_, { much }, device) => {
    for (let i = 0; i <= much % 3; i++) await device.send();
  },
  edit: (trial, step) => void trial.server.edit(trial.seqOf(step), `edited ${trial.server.rev}`),
  editMany: ({ server }, step) => {
    const count = manyOf(step);
    times(
      count,
      () => void server.edit(1 + ((step.much + server.rev) % Math.max(1, server.messages.length)), `e ${server.rev}`),
    );
  },
  delete: (trial, step) => void trial.server.delete(trial.seqOf(step)),
  react: (trial, step) => void trial.server.react(trial.seqOf(step), step.device === 0 ? BOB : ADA, '👍'),
  readBy: ({ server }, { much }) => times(3, () => server.advance(BOB, 'lastReadMessageId', 1 + (much % 20))),
  receivedBy: ({ server }, { much }) => times(3, () => server.advance(BOB, 'lastDeliveredMessageId', 1 + (much % 20))),
  meet: (_, { much }, device) => device.meetLater(much),
  rename: ({ server }) => server.rename(`name ${server.rev}`),
  member: ({ server }) => server.changeMember(CAT),
  role: ({ server }, { much }) => server.setRole(much % 2 === 0 ? ADA : BOB, much % 3 === 0 ? 'admin' : 'member'),
  leave: ({ server }) => server.changeMember(ADA),
  goBack: async (trial, { much }) => {
    // Only what is asked about before the server has caught up again can be noticed.
    const faults = trial.devices.map(({ client }) => client.faults);
    await trial.recover('reconnection');
    await trial.recover('heads');
    const lost = trial.server.loseLast(much % 20);
    for (const device of trial.devices) device.serverWentBack(lost);
    await trial.recover('reconnection');
    trial.devices.forEach(({ client }, i) => (client.faults = faults[i] ?? NO_FAULTS));
  },
  wait: ({ clock }, { much }) => clock.advance(10 + 1.5 * much),
  cut: (_, __, { client }) => client.cut(),
  connect: (_, __, { client }) => client.connect(),
  reload: (_, __, device) => device.reload(false),
  crash: (_, __, device) => device.reload(true),
  heads: ({ server }, _, { client }) => void (server.isMember && client.deliver(server.heads())),
  resync: (_, __, { client }) => client.deliver({ name: 'resync', payload: {} }),
  older: (_, __, device) => device.older(),
  newer: (_, __, device) => device.newer(),
  latest: (_, __, device) => device.jumpToLatest(),
  jump: (trial, step, device) => device.jump(trial.idOf(step)),
  lookUp: (trial, step, device) => device.lookUp(trial.idOf(step)),
  markRead: (_, __, device) => device.markRead(),
  // As a call that is answered with the message: by another way than events, and perhaps before them.
  editByApi: (trial, step, { client }) => {
    const changed = trial.server.isMember && trial.server.edit(trial.seqOf(step), `mine ${trial.server.rev}`);
    if (changed) client.messenger.changedMessage(changed);
  },
} satisfies Record<string, Work>;
