import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { VapidKey } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { PushSettings } from '../push-settings.js';
import { GetVapidKey } from './get-vapid-key.query.js';

@QueryHandler(GetVapidKey)
export class GetVapidKeyHandler implements IQueryHandler<GetVapidKey> {
  constructor(@Inject(PushSettings) private readonly settings: PushSettings) {}

  async execute(): Promise<VapidKey> {
    const publicKey = this.settings.vapidPublicKey;
    if (publicKey === null) throw new DomainError('not_found', 'This server sends no Web Push');
    return { publicKey };
  }
}
