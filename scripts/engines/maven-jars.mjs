// The jars of an engine and of all it depends on, from Maven Central or whatever mirror the user's Maven knows.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { unpackedPackage } from './debian-packages.mjs';
import { findJava } from './java.mjs';
import { findProgram, ignoresInstalledPrograms, run } from './programs.mjs';

const COPY_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * @param name of the folder in the cache
 * @param coordinates `group:artifact:version` of each jar that is wanted
 * @returns the folder with the jars
 * @throws EngineError when Maven cannot be had or fails
 */
export async function jarsOf(name, coordinates) {
  const recipe = createHash('sha256').update(coordinates.join('\n')).digest('hex').slice(0, 8);
  const folder = await cached(`${name}-${recipe}`, async (work) => {
    const maven = await findMaven();
    const own = join(work, '.maven');
    const pom = join(own, 'pom.xml');
    await mkdir(own);
    await writeFile(pom, projectOf(coordinates));
    // A repository of its own: two runs of Maven may not share one, and a user without a name has none.
    const settings = [`-Dmaven.repo.local=${join(own, 'repository')}`, '-DincludeScope=runtime'];
    settings.push(`-DoutputDirectory=${join(work, 'jars')}`);
    const args = [...maven.args, '-B', '-q', '-C', '-f', pom, ...settings, COPY_GOAL];
    await run(maven.command, args, { cwd: own, env: maven.env, timeoutMs: DOWNLOAD_TIMEOUT_MS });
    await rm(own, { recursive: true });
  });
  return join(folder, 'jars');
}

async function findMaven() {
  const { home, java, env } = await findJava();
  const installed = ignoresInstalledPrograms() ? undefined : findProgram('mvn');
  if (installed) return { command: installed, args: [], env: { ...env, JAVA_HOME: home } };
  const root = await unpackedPackage('maven');
  const classworlds = join(root, 'usr', 'share', 'java', 'plexus-classworlds.jar');
  const properties = [
    `-Dclassworlds.conf=${join(root, 'etc', 'maven', 'm2.conf')}`,
    `-Dmaven.home=${join(root, 'usr', 'share', 'maven')}`,
    `-Dmaven.multiModuleProjectDirectory=${root}`,
  ];
  const jars = [...properties, '-cp', classworlds, 'org.codehaus.plexus.classworlds.launcher.Launcher'];
  const args = existsSync('/etc/maven/settings.xml') ? [...jars, '-gs', '/etc/maven/settings.xml'] : jars;
  return { command: java, args, env };
}

function projectOf(coordinates) {
  const dependencies = coordinates.map((one) => {
    const [group, artifact, version] = one.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>parley</groupId><artifactId>engine</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies>
</project>
`;
}
