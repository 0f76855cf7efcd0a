import messages from './0001-messages.cql?raw';

export interface Migration {
  version: number;
  name: string;
  cql: string;
}

/** In order; what was once released is never changed, only followed by another. */
export const CASSANDRA_MIGRATIONS: readonly Migration[] = [{ version: 1, name: '0001-messages', cql: messages }];
