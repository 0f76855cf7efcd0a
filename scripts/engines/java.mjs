// Java 17: the machine's own, or the distribution's package.
import { createHash } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { libraryEnvironment, unpackedPackage } from './debian-packages.mjs';
import { findProgram, ignoresInstalledPrograms, run } from './programs.mjs';

/** Cassandra 5 runs on 11 and 17, Kafka 4 on 17 and later. */
const MAJOR_VERSION = 17;
const VERSION_TIMEOUT_MS = 20_000;
const PACKAGE = 'openjdk-17-jre-headless';
const JVM_FOLDER = 'usr/lib/jvm';
const SYSTEM_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Java's own file format asks for a password for what is public, and everybody uses this one. */
const KEY_STORE_PASSWORD = 'changeit';

/**
 * Engines here live for minutes. The second compiler of a JVM would take one of two cores for the first of them: Cassandra
 * then carried 50 messages a second with half a second each, with the first compiler alone 400 (measured).
 */
export const FIRST_COMPILER_ONLY = '-XX:TieredStopAtLevel=1';

/**
 * A Java 17.
 * @returns its home, the path of `java`, and the environment it runs in
 * @throws EngineError when there is none and none can be fetched
 */
export async function findJava() {
  if (!ignoresInstalledPrograms()) {
    for (const java of await candidates()) {
      if ((await majorVersion(java)) === MAJOR_VERSION) return { home: dirname(dirname(java)), java, env: process.env };
    }
  }
  const root = await unpackedPackage(PACKAGE, { finish: makeTrustStore });
  const home = join(root, JVM_FOLDER, await javaHomeIn(root));
  return { home, java: join(home, 'bin', 'java'), env: await libraryEnvironment(root) };
}

async function candidates() {
  const homes = await readdir(`/${JVM_FOLDER}`).catch(() => []);
  const found = homes.map((name) => join(`/${JVM_FOLDER}`, name, 'bin', 'java'));
  if (process.env.JAVA_HOME) found.unshift(join(process.env.JAVA_HOME, 'bin', 'java'));
  const onPath = findProgram('java');
  // Only its own home tells where the link on the PATH leads.
  const home = onPath && (await homeOf(onPath));
  if (home) found.unshift(join(home, 'bin', 'java'));
  return found;
}

async function homeOf(java) {
  const said = await run(java, ['-XshowSettings:properties', '-version'], { timeoutMs: VERSION_TIMEOUT_MS }).catch(
    () => '',
  );
  return /^\s*java\.home = (.+)$/m.exec(said)?.[1];
}

async function majorVersion(java) {
  const said = await run(java, ['-version'], { timeoutMs: VERSION_TIMEOUT_MS }).catch(() => '');
  return Number(/version "(\d+)/.exec(said)?.[1]);
}

async function javaHomeIn(root) {
  const names = await readdir(join(root, JVM_FOLDER));
  return names.find((name) => name.startsWith('java-17-openjdk'));
}

/** What the package's script makes out of the system's certificates; without them Maven cannot speak TLS. */
async function makeTrustStore(root) {
  const file = join(root, JVM_FOLDER, await javaHomeIn(root), 'lib', 'security', 'cacerts');
  const system = await readFile(SYSTEM_CERTIFICATES, 'utf8').catch(() => '');
  const bundles = [system || rootCertificates.join('\n')];
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra && extra !== SYSTEM_CERTIFICATES) bundles.push(await readFile(extra, 'utf8').catch(() => ''));
  await rm(file, { force: true });
  await writeFile(file, javaKeyStore(certificatesIn(bundles.join('\n'))));
}

function certificatesIn(text) {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...new Set([...blocks].map(([, base64]) => base64.replaceAll(/\s/g, '')))];
}

/** The JKS format: entries of kind 2 are certificates, and the end is a digest over the password and the rest. */
function javaKeyStore(certificates) {
  const parts = [u32(0xfeedfeed), u32(2), u32(certificates.length)];
  certificates.forEach((base64, index) => {
    const der = Buffer.from(base64, 'base64');
    parts.push(u32(2), text(`ca-${index}`), Buffer.alloc(8), text('X.509'), u32(der.length), der);
  });
  const body = Buffer.concat(parts);
  const password = Buffer.from(KEY_STORE_PASSWORD, 'utf16le').swap16();
  const digest = createHash('sha1').update(password).update('Mighty Aphrodite').update(body).digest();
  return Buffer.concat([body, digest]);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value, 'ascii')]);
}
