import { type DynamicModule, Module } from '@nestjs/common';
import { COMMAND_HANDLERS, COMMAND_SIDE } from './command-handlers.js';
import { GatewayDirectory } from './gateways/gateway-directory.js';
import { DomainLimits } from './limits/domain-limits.js';
import { CommandPoliciesModule } from './policies/policy.module.js';
import { QUERY_HANDLERS } from './query-handlers.js';

/**
 * The use cases of conversations, behind the command and query buses. Needs the ports and the buses
 * (`CqrsModule.forRoot()`) from global modules. What doors
 * and other modules may use directly is exported.
 */
@Module({})
export class MessagingModule {
  static forRoot(limits: DomainLimits): DynamicModule {
    return {
      module: MessagingModule,
      global: true,
      imports: [CommandPoliciesModule],
      providers: [
        { provide: DomainLimits, useValue: limits },
        ...COMMAND_SIDE,
        ...COMMAND_HANDLERS,
        GatewayDirectory,
        ...QUERY_HANDLERS,
      ],
      exports: [DomainLimits, GatewayDirectory, ...COMMAND_SIDE],
    };
  }
}
