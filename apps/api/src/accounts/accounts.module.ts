import { Module } from '@nestjs/common';
import { ACCOUNT_HANDLERS } from '@parley/domain';
import { AccountsController } from './accounts.controller.js';

/** Sign-up, log-in, refresh, log-out. Needs the global CqrsModule and the adapters behind the accounts' ports. */
@Module({ controllers: [AccountsController], providers: ACCOUNT_HANDLERS })
export class AccountsModule {}
