import type { KafkaConnection } from './kafka-client.js';
import { TopicReader } from './topic-reader.js';

/** Whether records could be written and read now, for a readiness check. One that keeps its connections. */
export class KafkaReadiness {
  private readonly reader: TopicReader;

  constructor(connection: KafkaConnection, topic: string) {
    this.reader = new TopicReader(connection, topic);
  }

  /**
   * Asks a broker who leads the partitions: one that only takes connections, and says nothing, is not there.
   * @throws Error within some 2 s when no answer comes, or a partition has no leader
   */
  async check(): Promise<void> {
    this.reader.forgetLeaders();
    const leaders = await this.reader.findLeaders();
    const led = leaders.filter((leader) => leader >= 0).length;
    if (led < leaders.length)
      throw new Error(`${leaders.length - led} of ${leaders.length} partitions have no leader.`);
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
