import type { CommandLog } from '../ports/command-log.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';
import { recordHash } from './record-hash.js';

/** The log holds another record where the last applied one was: it lost its end and has grown again. */
export class LogReplaced extends Error {
  constructor(
    readonly partition: number,
    readonly offset: number,
  ) {
    super(
      `partition ${partition} of the command log holds another record at offset ${offset} than the one that was applied ` +
        'there: the log lost records and has grown again, or it is another log',
    );
    this.name = 'LogReplaced';
  }
}

/**
 * Whether this is still the log from which these partitions were applied: their last applied record is where it was.
 * Going on otherwise would skip acknowledged commands and give places away twice. A record that the retention has
 * removed cannot be compared; a log that is durable only at the commit keeps none.
 * @throws LogTruncated the log ends before what was applied
 * @throws LogReplaced it holds something else there
 */
export async function checkSameLog(
  log: Pick<CommandLog, 'durableAt' | 'payloadsAt'>,
  progress: readonly PartitionProgress[],
): Promise<void> {
  const applied = progress.filter(({ nextOffset, lastRecordHash }) => nextOffset > 0 && lastRecordHash !== null);
  if (applied.length === 0 || log.durableAt === 'commit') return;
  const payloads = await log.payloadsAt(new Map(applied.map((p) => [p.partition, p.nextOffset - 1])));
  for (const { partition, nextOffset, lastRecordHash } of applied) {
    const payload = payloads.get(partition);
    if (payload !== undefined && recordHash(payload) !== lastRecordHash) {
      throw new LogReplaced(partition, nextOffset - 1);
    }
  }
}
