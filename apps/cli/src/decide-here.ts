import { randomUUID } from 'node:crypto';
import { type CommandRecord, NoPipelineMetrics, type Outcome, PartitionOwner, PartitionRunner } from '@parley/domain';
import type { PipelineAdapters } from '@parley/infra';

const BATCH_RECORDS_MAX = 100;
const WAIT_MS = 50;

/**
 * Decides a command in this process, for a log that lives in the memory of the one that reads it. No other process may
 * own partitions meanwhile: the lock that this tool holds says so.
 * @param outcome what the replies of these adapters bring; it has a time-out of its own
 */
export async function decideHere(
  adapters: PipelineAdapters,
  record: CommandRecord,
  outcome: Promise<Outcome | null>,
  say: (line: string) => void,
): Promise<Outcome | null> {
  const onTrouble = (what: string, error: unknown): void =>
    say(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  const owner = new PartitionOwner({ ...adapters, metrics: new NoPipelineMetrics() }, { onTrouble });
  const options = { ownerId: randomUUID(), partitions: adapters.log.partitions, exclusive: true, onTrouble };
  const runner = new PartitionRunner(owner, adapters.leases, options);
  let answered = false;
  void outcome.then(() => (answered = true));
  await runner.start();
  try {
    // It resolves with the batch; that it fails shows in the outcome, which does not come.
    adapters.log.append([record]).catch((error: unknown) => onTrouble('the log refused the command', error));
    while (!answered) {
      await runner.process(await adapters.log.read(runner.positions(), BATCH_RECORDS_MAX, WAIT_MS));
      await runner.settle();
      runner.publish();
    }
    return await outcome;
  } finally {
    await runner.stop();
  }
}
