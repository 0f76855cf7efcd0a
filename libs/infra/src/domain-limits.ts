import { DOMAIN_LIMITS_DEFAULT, type DomainLimits } from '@parley/domain';
import type { AppConfig } from './config/configuration.js';

/** The limits of the use cases, as they are configured. @param blockStateMs how long the state of a block is believed */
export function domainLimits(
  { rateLimits, groups, pipeline }: AppConfig,
  blockStateMs = DOMAIN_LIMITS_DEFAULT.blockStateMs,
): DomainLimits {
  return {
    ...DOMAIN_LIMITS_DEFAULT,
    sendsPerUserInConversation: rateLimits.sendsPerUserInConversation,
    sendsPerUser: rateLimits.sendsPerUser,
    sendsPerConversation: rateLimits.sendsPerConversation,
    groupMembersMax: groups.membersMax,
    sendWaitMs: pipeline.sendWaitMs,
    commandsInFlightMax: pipeline.commandsInFlightMax,
    receiptWindowMs: pipeline.receiptWindowMs,
    blockStateMs,
  };
}
