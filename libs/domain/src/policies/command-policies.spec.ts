import 'reflect-metadata';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import { ADA, BEN, by, CommandSide } from '../testing/command-side.js';
import { CommandPolicies } from './command-policies.js';
import { CommandPolicy, type Verdict } from './command-policy.js';
import { CommandPoliciesModule } from './policy.module.js';
import { ModerationModule, QUOTA_CODE_UNITS_MAX } from './word-filter.testing.js';

/** Says what it is told to say. */
class Saying extends CommandPolicy {
  override readonly name = 'saying';
  readonly seen: string[] = [];

  constructor(private readonly verdict: (command: ConversationCommand) => Verdict) {
    super();
  }

  override review(_actor: unknown, _conversationId: string, command: ConversationCommand): Verdict {
    this.seen.push(command.type);
    return this.verdict(command);
  }
}

@Module({ imports: [CommandPoliciesModule, ModerationModule] })
class ProcessModule {}

describe('policies of a module of its own', () => {
  let side: CommandSide;
  let context: INestApplicationContext | undefined;
  afterEach(async () => {
    await side.close();
    await context?.close();
    context = undefined;
  });

  /** The registered policies of the test module, in front of a commands' side. */
  async function givenModeration(): Promise<string> {
    side = new CommandSide();
    context = await NestFactory.createApplicationContext(ProcessModule, { logger: false });
    const registered = context.get(CommandPolicies);
    const handOn = new (class extends CommandPolicy {
      override readonly name = 'registered';
      override async review(...args: Parameters<CommandPolicy['review']>): Promise<Verdict> {
        return { change: await registered.review(...args, 10_000) };
      }
    })();
    side.policies.add(handOn);
    return side.group(ADA, BEN);
  }

  it('change what is stored, and keep the hash of the original request', async () => {
    const group = await givenModeration();
    const payload = side.payload(group, { content: 'Oh gosh' });
    const first = await side.send(by(ADA), payload);
    expect(side.contents(group)).toEqual(['Oh ****']);
    expect(await side.send(by(ADA), payload)).toEqual({ ...first, duplicate: true });
    const asStored = side.send(by(ADA), { ...payload, content: 'Oh ****' });
    await expect(asStored).rejects.toMatchObject({ code: 'client_msg_id_reused' });
  });

  it('refuse a command before it is journaled', async () => {
    const group = await givenModeration();
    const before = side.owner.decided.length;
    const tooMuch = side.send(by(ADA), side.payload(group, { content: 'x'.repeat(QUOTA_CODE_UNITS_MAX + 1) }));
    await expect(tooMuch).rejects.toMatchObject({ code: 'forbidden', detail: 'Your quota is used up' });
    expect(side.owner.decided).toHaveLength(before);
    expect(await side.message(BEN, group, { content: 'short' })).toMatchObject({ seq: 1 });
  });
});

describe('command policies', () => {
  let side: CommandSide;
  afterEach(() => side.close());

  it('are asked in the order in which they were added, each of what the one before made', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const adding = (text: string): Saying =>
      new Saying((command) => ({
        change: { ...command, content: `${'content' in command && command.content}${text}` } as ConversationCommand,
      }));
    side.policies.add(adding(' one'));
    side.policies.add(adding(' two'));
    await side.message(ADA, group, { content: 'zero' });
    expect(side.contents(group)).toEqual(['zero one two']);
  });

  it('see only the commands that they apply to', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const policy = new (class extends Saying {
      override readonly appliesTo = ['rename'] as const;
    })(() => 'pass');
    side.policies.add(policy);
    await side.message(ADA, group);
    await side.command(ADA, group, { type: 'rename', name: 'New' });
    expect(policy.seen).toEqual(['rename']);
  });

  it('cannot make another command or another clientMsgId of a send', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const remove = side.policies.add(new Saying(() => ({ change: { type: 'rename', name: 'Oops' } })));
    await expect(side.message(ADA, group)).rejects.toThrow('policy saying made a rename of a send-message');
    remove();
    side.policies.add(
      new Saying((command) => ({
        change: { ...command, clientMsgId: 'other', requestHash: 'other' } as ConversationCommand,
      })),
    );
    const payload = side.payload(group);
    expect(await side.send(by(ADA), payload)).toMatchObject({ clientMsgId: payload.clientMsgId, duplicate: false });
    expect(await side.send(by(ADA), payload)).toMatchObject({ duplicate: true });
  });

  it('are no longer asked when they are taken out', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const policy = new Saying(() => ({ refuse: { code: 'rate_limited', detail: 'Slow down', retryAfterMs: 700 } }));
    const remove = side.policies.add(policy);
    await expect(side.message(ADA, group)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 700 });
    remove();
    expect(side.policies.none).toBe(true);
    await side.message(ADA, group);
    expect(policy.seen).toHaveLength(1);
  });

  it('that do not answer have all commands of the socket refused when the wait is over, and nothing is journaled later', async () => {
    side = new CommandSide({ limits: { sendWaitMs: 300 } });
    const group = await side.group(ADA, BEN);
    const before = side.owner.decided.length;
    const answer = Promise.withResolvers<Verdict>();
    const remove = side.policies.add(
      new (class extends CommandPolicy {
        override readonly name = 'hanging';
        override review(): Promise<Verdict> {
          return answer.promise;
        }
      })(),
    );
    const payloads = Array.from({ length: 20 }, (_, n) => side.payload(group, { content: `${n}` }));
    const began = performance.now();
    const sends = await Promise.allSettled(payloads.map((payload) => side.send(by(ADA, 'socket'), payload)));
    // One wait for all of them, and not one after another.
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const send of sends) {
      expect(send).toMatchObject({ reason: { code: 'store_unavailable', retryAfterMs: expect.any(Number) as number } });
    }
    expect(side.journal.commandsInFlight).toBe(0);
    answer.resolve('pass');
    remove();
    expect(await side.send(by(ADA, 'socket'), payloads[0]!)).toMatchObject({ seq: 1, duplicate: false });
    expect(side.owner.decided).toHaveLength(before + 1);
  });

  it('that answer with a promise hold back the later commands of the socket', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    await side.directory.load(group);
    const gate = Promise.withResolvers<void>();
    side.policies.add(
      new (class extends CommandPolicy {
        override readonly name = 'slow for the first';
        override review(_actor: unknown, _id: string, command: ConversationCommand): Verdict | Promise<Verdict> {
          const isFirst = command.type === 'send-message' && command.content === 'first';
          return isFirst ? gate.promise.then(() => 'pass' as const) : 'pass';
        }
      })(),
    );
    const sends = ['first', 'second'].map((content) => side.send(by(ADA, 'socket'), side.payload(group, { content })));
    await side.message(BEN, group, { content: 'of another' });
    gate.resolve();
    await Promise.all(sends);
    expect(side.contents(group)).toEqual(['of another', 'first', 'second']);
  });
});
