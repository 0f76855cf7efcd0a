import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classArchive } from './class-archive.mjs';
import { asks } from './connections.mjs';
import { findJava, FIRST_COMPILER_ONLY } from './java.mjs';
import { jarsOf } from './maven-jars.mjs';
import { run } from './programs.mjs';

const VERSION = '4.3.1';
const JARS = [`org.apache.kafka:kafka_2.13:${VERSION}`, 'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4'];
const HEAP_MB = 384;
const FORMAT_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 2_000;

/** Apache Kafka in KRaft mode: broker and controller in one process, no topics made by themselves. */
export const kafka = {
  variable: 'KAFKA_BROKERS',
  portNames: ['client', 'controller'],
  stopRequest: 'SIGTERM',
  stopTimeoutMs: 30_000,

  async install() {
    const [java, jars] = await Promise.all([findJava(), jarsOf(`kafka-${VERSION}`, JARS)]);
    return { ...java, jars };
  },

  async configure(node, { java, env, jars }) {
    await writeFile(join(node.folder, 'server.properties'), serverProperties(node));
    await writeFile(join(node.folder, 'log4j2.properties'), LOGGING);
    const tool = [FIRST_COMPILER_ONLY, '-cp', join(jars, '*'), 'kafka.tools.StorageTool'];
    // The tool makes ids as well, by another start of Java: an id is 16 bytes in base64.
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
    const format = ['format', `--cluster-id=${id}`, '-c', join(node.folder, 'server.properties')];
    await run(java, [...tool, ...format], { cwd: node.folder, env, timeoutMs: FORMAT_TIMEOUT_MS });
  },

  async command(node, { java, env, jars }) {
    const { options, archive } = await classArchive('kafka', java, jars);
    const memory = [`-Xms${HEAP_MB}m`, `-Xmx${HEAP_MB}m`, '-XX:+ExitOnOutOfMemoryError'];
    const logging = `-Dlog4j2.configurationFile=${join(node.folder, 'log4j2.properties')}`;
    const args = [
      ...options,
      FIRST_COMPILER_ONLY,
      ...memory,
      logging,
      '-cp',
      join(jars, '*'),
      'kafka.Kafka',
      'server.properties',
    ];
    return { command: java, args, env, archive };
  },

  address: ({ host, ports }) => `${host}:${ports.client}`,

  /** A broker that listens may not have joined yet: only one that has is in the list of brokers. */
  isReady: ({ host, ports }) => asks({ host, port: ports.client }, metadataRequest(), hasBroker, ANSWER_TIMEOUT_MS),
};

function serverProperties({ folder, host, ports }) {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${host}:${ports.controller}`,
    listeners: `PLAINTEXT://${host}:${ports.client},CONTROLLER://${host}:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://${host}:${ports.client}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data').replaceAll('\\', '\\\\'),
    'auto.create.topics.enable': false,
    'num.partitions': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed is let in again when its session has ended: 6 s after a restart instead of 14.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}

const LOGGING = `status=error
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n%throwable
rootLogger.level=warn
rootLogger.appenderRef.out.ref=OUT
`;

/** Request 3 in version 1: correlation id 7, no client id, about no topic. */
function metadataRequest() {
  const body = Buffer.alloc(14);
  body.writeInt16BE(3, 0);
  body.writeInt16BE(1, 2);
  body.writeInt32BE(7, 4);
  body.writeInt16BE(-1, 8);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** The answer begins with its length, the correlation id, and the number of brokers. */
function hasBroker(bytes) {
  return bytes.length < 12 ? undefined : bytes.readInt32BE(4) === 7 && bytes.readInt32BE(8) > 0;
}
