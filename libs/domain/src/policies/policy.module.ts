import { type DynamicModule, Module, type ModuleMetadata, type OnModuleInit, type Type } from '@nestjs/common';
import { CommandPolicies } from './command-policies.js';
import type { CommandPolicy } from './command-policy.js';

/** Holds the registry that the command journal asks; imported by whoever provides the journal or registers a policy. */
@Module({ providers: [CommandPolicies], exports: [CommandPolicies] })
export class CommandPoliciesModule {}

const REGISTERED = Symbol('registered policies');

class PolicyRegistration implements OnModuleInit {
  constructor(
    private readonly registry: CommandPolicies,
    private readonly policies: readonly CommandPolicy[],
  ) {}

  onModuleInit(): void {
    for (const policy of this.policies) this.registry.add(policy);
  }
}

/** `PolicyModule.register([WordFilter], [WordListModule])`: what a module of your own imports to have its policies asked. */
@Module({})
export class PolicyModule {
  /** Policies are made by the container, so they may inject what `imports` exports. They are asked in this order. */
  static register(
    policies: readonly Type<CommandPolicy>[],
    imports: NonNullable<ModuleMetadata['imports']> = [],
  ): DynamicModule {
    return {
      module: PolicyModule,
      imports: [CommandPoliciesModule, ...imports],
      providers: [
        ...policies,
        {
          provide: REGISTERED,
          inject: [CommandPolicies, ...policies],
          useFactory: (registry: CommandPolicies, ...made: CommandPolicy[]) => new PolicyRegistration(registry, made),
        },
      ],
    };
  }
}
