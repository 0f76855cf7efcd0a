import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classArchive } from './class-archive.mjs';
import { asks } from './connections.mjs';
import { findJava } from './java.mjs';
import { jarsOf } from './maven-jars.mjs';

const VERSION = '2.6.0';
const JARS = [`org.gaul:s3proxy:${VERSION}`];
const HEAP_MB = 192;
const ANSWER_TIMEOUT_MS = 2_000;
/** The account of every such server: it listens on this machine only, and holds what tests put there. */
export const S3_ACCOUNT = {
  accessKeyId: 'parley-tests',
  secretAccessKey: 'known-to-everybody',
  bucket: 'parley-media',
  region: 'us-east-1',
};

/** S3Proxy on a folder: it checks signatures as Amazon does. Its one bucket is there from the beginning. */
export const s3 = {
  variable: 'S3_ENDPOINT',
  /** Started where it is asked for by name alone: most tests of the engines need none. */
  onDemand: true,
  portNames: ['client'],
  stopRequest: 'SIGTERM',
  stopTimeoutMs: 10_000,

  async install() {
    const [java, jars] = await Promise.all([findJava(), jarsOf(`s3proxy-${VERSION}`, JARS)]);
    return { ...java, jars };
  },

  async configure(node) {
    const objects = join(node.folder, 'objects');
    await mkdir(join(objects, S3_ACCOUNT.bucket), { recursive: true });
  },

  async command({ folder, host, ports }, { java, env, jars }) {
    const { options, archive } = await classArchive('s3proxy', java, jars);
    const settings = {
      's3proxy.authorization': 'aws-v2-or-v4',
      's3proxy.endpoint': `http://${host}:${ports.client}`,
      's3proxy.identity': S3_ACCOUNT.accessKeyId,
      's3proxy.credential': S3_ACCOUNT.secretAccessKey,
      'jclouds.provider': 'filesystem',
      'jclouds.filesystem.basedir': join(folder, 'objects'),
      'jclouds.identity': 'unused',
      'jclouds.credential': 'unused',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    await writeFile(join(folder, 's3proxy.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
    const memory = [`-Xms64m`, `-Xmx${HEAP_MB}m`, '-XX:+ExitOnOutOfMemoryError', '-DLOG_LEVEL=warn'];
    const args = [
      ...options,
      ...memory,
      '-cp',
      join(jars, '*'),
      'org.gaul.s3proxy.Main',
      '--properties',
      's3proxy.conf',
    ];
    return { command: java, args, env, archive };
  },

  address: ({ host, ports }) => `http://${host}:${ports.client}`,

  /** Whoever asks without a signature is refused, and so is answered. */
  isReady: ({ host, ports }) =>
    asks(
      { host, port: ports.client },
      `GET / HTTP/1.1\r\nhost: ${host}:${ports.client}\r\nconnection: close\r\n\r\n`,
      (bytes) => (bytes.length < 12 ? undefined : /^HTTP\/1\.1 [24]/.test(bytes.toString('latin1'))),
      ANSWER_TIMEOUT_MS,
    ),
};
