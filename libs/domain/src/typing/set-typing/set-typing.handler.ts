import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AdmissionOrder } from '../../journal/admission-order.js';
import { whenKnown } from '../../journal/maybe-promise.js';
import { DirectBlocks } from '../../membership/direct-blocks.js';
import { MembershipDirectory } from '../../membership/membership-directory.js';
import { TypingIndicators } from '../typing-indicators.js';
import { SetTyping } from './set-typing.command.js';

@CommandHandler(SetTyping)
export class SetTypingHandler implements ICommandHandler<SetTyping> {
  constructor(
    @Inject(AdmissionOrder) private readonly order: AdmissionOrder,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(DirectBlocks) private readonly blocks: DirectBlocks,
    @Inject(TypingIndicators) private readonly indicators: TypingIndicators,
  ) {}

  /** In the order of the socket: "has stopped" must not overtake a "types" that is being looked up. */
  async execute({ actor, payload }: SetTyping): Promise<void> {
    const { conversationId, isTyping } = payload;
    await this.order.run(actor.connectionId, () =>
      whenKnown(this.directory.requireMember(conversationId, actor.userId), ({ membership }) =>
        whenKnown(this.blocks.isBlocked(actor.userId, membership), (blocked) => {
          // Who is blocked learns nothing: the answer is the same.
          if (!blocked) this.indicators.set(actor, membership, isTyping);
        }),
      ),
    );
  }
}
