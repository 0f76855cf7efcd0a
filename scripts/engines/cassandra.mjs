import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { classArchive } from './class-archive.mjs';
import { asks } from './connections.mjs';
import { findJava, FIRST_COMPILER_ONLY } from './java.mjs';
import { jarsOf } from './maven-jars.mjs';

const VERSION = '5.0.9';
const JARS = [`org.apache.cassandra:cassandra-all:${VERSION}`];
const HEAP_MB = 640;
const DIRECT_MEMORY_MB = 384;
const ANSWER_TIMEOUT_MS = 2_000;
const RING_DELAY_MS = 30_000;

/** Packages of the JDK that Cassandra reaches into, as its own list of options for Java 17 has them. */
const EXPORTED = [
  'java.base/java.lang.ref',
  'java.base/jdk.internal.misc',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
];
const OPENED = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.management/com.sun.management.internal',
];

/** Apache Cassandra: one node, or several on 127.0.0.1, 127.0.0.2, … that form a cluster. */
export const cassandra = {
  variable: 'CASSANDRA_CONTACT_POINTS',
  portNames: ['native', 'storage'],
  stopRequest: 'SIGTERM',
  stopTimeoutMs: 40_000,
  // Root may lock memory, and the whole heap would be locked at once.
  keepsMemory: false,

  async install() {
    const [java, jars] = await Promise.all([findJava(), jarsOf(`cassandra-${VERSION}`, JARS)]);
    return { ...java, jars };
  },

  async configure(node) {
    await writeFile(join(node.folder, 'cassandra.yaml'), configurationFile(node));
    await writeFile(join(node.folder, 'logback.xml'), LOGGING);
  },

  async command({ folder, cluster }, { java, env, jars }) {
    const { options, archive } = await classArchive('cassandra', java, jars);
    const memory = [`-Xms${HEAP_MB}m`, `-Xmx${HEAP_MB}m`, '-Xss256k', `-XX:MaxDirectMemorySize=${DIRECT_MEMORY_MB}m`];
    const packages = [
      ...EXPORTED.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
      ...OPENED.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    ];
    const properties = {
      'java.net.preferIPv4Stack': true,
      'jdk.attach.allowAttachSelf': true,
      'io.netty.tryReflectionSetAccessible': true,
      'cassandra.config': pathToFileURL(join(folder, 'cassandra.yaml')),
      'cassandra.storagedir': join(folder, 'data'),
      'cassandra.logdir': folder,
      'logback.configurationFile': join(folder, 'logback.xml'),
      'cassandra-foreground': 'yes',
      // Waits that a large cluster needs to find itself.
      'cassandra.skip_wait_for_gossip_to_settle': 0,
      // Nodes that meet need this one: who has not joined within half of it is taken for a mere client.
      'cassandra.ring_delay_ms': cluster.hosts.length > 1 ? RING_DELAY_MS : 0,
      'cassandra.shutdown_announce_in_ms': 0,
      // What native libraries unpack: another user may own the shared folder of this machine.
      'jna.tmpdir': folder,
      'java.io.tmpdir': folder,
    };
    const definitions = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
    const jvm = [
      ...options,
      FIRST_COMPILER_ONLY,
      '-XX:+UseG1GC',
      '-XX:+ExitOnOutOfMemoryError',
      ...memory,
      ...packages,
      ...definitions,
    ];
    const args = [...jvm, '-cp', join(jars, '*'), 'org.apache.cassandra.service.CassandraDaemon'];
    return { command: java, args, env, archive };
  },

  address: ({ host, ports }) => `${host}:${ports.native}`,

  async isReady(node) {
    const port = node.ports.native;
    if (!(await asks({ host: node.host, port }, OPTIONS_REQUEST, isSupported, ANSWER_TIMEOUT_MS))) return false;
    const others = node.cluster.hosts.filter((host) => host !== node.host);
    const log = (await readFile(node.logFile)).subarray(node.logOffset).toString('utf8');
    // At the first start all of them start. Later another one may be down for the purpose of a test.
    const isFirst = node.logOffset === 0;
    return others.every((host) => isUp(log, host) ?? !isFirst);
  },
};

/** What a node's log says about another one: undefined when it has never met it. */
export function isUp(log, host) {
  const pattern = new RegExp(String.raw`/${host.replaceAll('.', String.raw`\.`)}:\d+ is now (UP|DOWN)`, 'g');
  const last = [...log.matchAll(pattern)].at(-1);
  return last && last[1] === 'UP';
}

function configurationFile({ folder, host, ports, cluster }) {
  const path = (name) => JSON.stringify(join(folder, 'data', name));
  const share = 2n ** 64n / BigInt(cluster.hosts.length);
  const token = -(2n ** 63n) + share * BigInt(cluster.hosts.indexOf(host));
  return `cluster_name: parley
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
num_tokens: 1
initial_token: "${token}"
auto_bootstrap: false
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${cluster.hosts.map((one) => `${one}:${ports.storage}`).join(',')}"
listen_address: ${host}
rpc_address: ${host}
storage_port: ${ports.storage}
native_transport_port: ${ports.native}
data_file_directories: [${path('data')}]
commitlog_directory: ${path('commitlog')}
saved_caches_directory: ${path('saved_caches')}
hints_directory: ${path('hints')}
cdc_raw_directory: ${path('cdc_raw')}
commitlog_sync: batch
commitlog_segment_size: 8MiB
memtable_heap_space: 96MiB
memtable_offheap_space: 128MiB
file_cache_size: 64MiB
concurrent_compactors: 1
storage_compatibility_mode: NONE
auto_snapshot: false
`;
}

/** Warnings, and who of the cluster is up, which the ready check reads. */
const LOGGING = `<configuration>
<appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d %p %logger{0} %m%n</pattern></encoder>
</appender>
<logger name="org.apache.cassandra.gms.Gossiper" level="INFO"/>
<root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
`;

/** Version 4 of the native protocol, request 5: which options are supported? The answer is a frame of kind 6. */
const OPTIONS_REQUEST = Buffer.from([4, 0, 0, 0, 5, 0, 0, 0, 0]);

function isSupported(bytes) {
  return bytes.length < 9 ? undefined : bytes[4] === 6;
}
