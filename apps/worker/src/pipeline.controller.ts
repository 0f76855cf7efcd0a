import { type LogRecord, PartitionRunner } from '@parley/domain';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { COMMAND_BATCH } from './command-log-server.js';

/** The door through which the command log's batches reach the owner of the partitions. */
@Controller()
export class PipelineController {
  constructor(@Inject(PartitionRunner) private readonly runner: PartitionRunner) {}

  @MessagePattern(COMMAND_BATCH)
  async batch(@Payload() records: LogRecord[]): Promise<void> {
    await this.runner.process(records);
  }
}
