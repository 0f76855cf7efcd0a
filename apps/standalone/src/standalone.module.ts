import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import { commandSide, MediaInfraModule, type ProcessParts, PushInfraModule } from '@parley/infra';
import { ApiModule } from '../../api/src/api.module.js';
import { GatewayModule } from '../../gateway/src/gateway.module.js';
import { WorkerModule } from '../../worker/src/worker.module.js';

/** This process makes every change of a block itself, so it forgets only to stay small. */
const BLOCK_STATE_MS = 10 * 60_000;

/** Every door, the pipeline and its adapters in one process. */
@Module({})
export class StandaloneModule {
  static forRoot(parts: ProcessParts): DynamicModule {
    const { config, onTrouble, onLost } = parts;
    return {
      module: StandaloneModule,
      imports: [
        ...commandSide(parts, { failPoint: config.faults.failPoint, blockStateMs: BLOCK_STATE_MS }),
        // The lock of the data folder, or of the database, keeps other owners out.
        WorkerModule.forRoot({ ownerId: randomUUID(), exclusive: true, onTrouble, ...(onLost && { onLost }) }),
        PushInfraModule.forRoot(parts),
        MediaInfraModule.files(parts),
        MediaInfraModule.work(parts),
        ApiModule,
        GatewayModule,
      ],
    };
  }
}
