import { choice, hasNoPath, integer, list, optionalText, optionalUrl, secretText, text } from './setting.js';

const HOST_AND_PORT = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/;

function hostsAndPorts(name: string, description: string): ReturnType<typeof list> {
  return list(name, {
    description,
    isPart: (part) => HOST_AND_PORT.test(part),
    expected: 'must be a comma-separated list of hosts with their ports, such as db1:9042,db2:9042',
  });
}

/** What stands behind each port, and how it is reached. */
export const ADAPTER_SETTINGS = {
  adapters: {
    commandLog: choice('COMMAND_LOG', {
      description: 'Where commands are journaled. `memory`: with the batch that decides them, in one process only.',
      options: ['memory', 'postgres', 'kafka'],
      default: 'memory',
      clusterDefault: 'kafka',
    }),
    eventStream: choice('EVENT_STREAM', {
      description: 'Where decided events are kept.',
      options: ['postgres', 'kafka'],
      default: 'postgres',
      clusterDefault: 'kafka',
    }),
    messageStore: choice('MESSAGE_STORE', {
      description: 'Where messages are kept.',
      options: ['postgres', 'cassandra'],
      default: 'postgres',
      clusterDefault: 'cassandra',
    }),
    broadcast: choice('BROADCAST', {
      description: 'What carries live events, answers and rate limits between processes.',
      options: ['memory', 'redis'],
      default: 'memory',
      clusterDefault: 'redis',
    }),
  },
  kafka: {
    brokers: hostsAndPorts(
      'KAFKA_BROKERS',
      'Some of the Kafka brokers, comma-separated; the others are found by them.',
    ),
    topicPrefix: text('KAFKA_TOPIC_PREFIX', {
      description: 'The topics are `PREFIX.commands` and `PREFIX.events`.',
      default: 'parley',
      pattern: /^[A-Za-z0-9._-]{1,200}$/,
      expected: 'must be letters, digits, dots, dashes and underscores',
    }),
    replicationFactor: integer('KAFKA_REPLICATION_FACTOR', {
      description:
        'Copies of each record, for topics that are made here. 1 only where losing the broker may lose data.',
      default: 3,
      max: 9,
    }),
  },
  cassandra: {
    contactPoints: hostsAndPorts(
      'CASSANDRA_CONTACT_POINTS',
      'Some of the Cassandra nodes, comma-separated; the others are found by them.',
    ),
    localDataCenter: text('CASSANDRA_LOCAL_DC', {
      description: 'The data centre whose nodes are used.',
      default: 'datacenter1',
    }),
    keyspace: text('CASSANDRA_KEYSPACE', {
      description: 'Made when it is not there.',
      default: 'parley',
      pattern: /^[a-z][a-z0-9_]{0,47}$/,
      expected: 'must be lower-case letters, digits and underscores, a letter first',
    }),
    replicationFactor: integer('CASSANDRA_REPLICATION_FACTOR', {
      description: 'Copies of each message in the data centre, for a keyspace that is made here.',
      default: 3,
      max: 9,
    }),
    reappendSeconds: integer('CASSANDRA_REAPPEND_SECONDS', {
      description:
        'When a node is back, messages of so long before it went are written again: it may have lost what it had acknowledged. More than its `commitlog_sync_period`; 0 trusts it.',
      default: 120,
      min: 0,
      max: 86_400,
    }),
    username: optionalText('CASSANDRA_USERNAME', { description: 'Account at Cassandra, if it asks for one.' }),
    password: secretText('CASSANDRA_PASSWORD', { description: 'Its password.', charsMin: 1 }),
  },
  redis: {
    url: optionalUrl('REDIS_URL', {
      description: 'The Redis that carries what `BROADCAST=redis` says.',
      protocols: ['redis:', 'rediss:'],
      secret: true,
    }),
    keyPrefix: text('REDIS_KEY_PREFIX', {
      description: 'Before all keys and channels, so that several installations can share one Redis.',
      default: 'parley:',
      pattern: /^[A-Za-z0-9:._-]{1,100}$/,
      expected: 'must be letters, digits, colons, dots, dashes and underscores',
    }),
  },
  gateways: {
    url: optionalUrl('GATEWAY_URL', {
      description:
        'Where clients reach this gateway, as it tells the others. Unset: `PUBLIC_URL`, or `http://HOST:PORT`.',
      protocols: ['http:', 'https:'],
      atRoot: true,
    }),
    region: optionalText('REGION', {
      description:
        'The region of this process. `GET /v1/connect` prefers gateways of the region that is asked for, then of its own.',
    }),
    urls: list('GATEWAY_URLS', {
      description:
        'What `GET /v1/connect` answers instead of the gateways that announce themselves, comma-separated: a load balancer, for instance.',
      isPart: (part) => URL.canParse(part) && /^https?:$/.test(new URL(part).protocol) && hasNoPath(part),
      expected: 'must be a comma-separated list of URLs that begin with http:// or https:// and have no path',
    }),
  },
} as const;
