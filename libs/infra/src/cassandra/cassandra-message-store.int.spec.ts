import { messageStoreContract } from '../../../domain/src/ports/message-store.port.contract.js';
import { CassandraMessageStore } from './cassandra-message-store.js';
import { openTestKeyspace } from './testing/test-keyspace.testing.js';

messageStoreContract('Cassandra', async () => {
  const { client, close } = await openTestKeyspace();
  return { store: new CassandraMessageStore(client), close };
});
