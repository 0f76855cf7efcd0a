import messages from './0001-messages.cql?raw';
import wholePartitions from './0002-whole-partitions.cql?raw';

export interface Migration {
  version: number;
  name: string;
  cql: string;
}

/** In order; what was once released is never changed, only followed by another. */
export const CASSANDRA_MIGRATIONS: readonly Migration[] = [
  { version: 1, name: '0001-messages', cql: messages },
  { version: 2, name: '0002-whole-partitions', cql: wholePartitions },
];
