import { Query } from '@nestjs/cqrs';
import type { VapidKey } from '@parley/contracts';

/** The key that browsers subscribe with. */
export class GetVapidKey extends Query<VapidKey> {}
