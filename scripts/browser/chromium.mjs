// A real Chromium for tests and screenshots: the machine's own, or its Debian package, unpacked into the cache.
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { libraryEnvironment, unpackedPackage } from '../engines/debian-packages.mjs';
import { findProgram, ignoresInstalledPrograms } from '../engines/programs.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const LAUNCH_TIMEOUT_MS = 60_000;

/**
 * Where a Chromium is, without fetching one: CHROMIUM_PATH, the PATH, what Playwright has installed for this user.
 * @returns undefined when there is none
 */
export function installedChromium(env = process.env) {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH;
  if (ignoresInstalledPrograms(env)) return undefined;
  for (const name of NAMES) {
    const found = findProgram(name, env);
    if (found) return found;
  }
  return playwrightChromium(env);
}

function playwrightChromium(env) {
  const folder = env.PLAYWRIGHT_BROWSERS_PATH || join(env.HOME || homedir(), '.cache', 'ms-playwright');
  // The newest first.
  for (const revision of entriesOf(folder, /^chromium-\d+$/).sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))) {
    for (const build of entriesOf(join(folder, revision), /^chrome-linux/)) {
      const [program] = entriesOf(join(folder, revision, build), /^chrome$/);
      if (program) return join(folder, revision, build, program);
    }
  }
  return undefined;
}

function entriesOf(folder, pattern) {
  try {
    return readdirSync(folder).filter((name) => pattern.test(name));
  } catch {
    return []; // Nothing was installed there.
  }
}

/**
 * A Chromium's program and the environment it runs in; fetched when there is none.
 * @throws EngineError when it can neither be found nor fetched
 */
export async function findChromium(env = process.env) {
  const installed = installedChromium(env);
  if (installed) return { executablePath: installed, env };
  const folder = await unpackedPackage('chromium', { companions: ['chromium-common'] });
  return { executablePath: join(folder, 'usr', 'lib', 'chromium', 'chromium'), env: await libraryEnvironment(folder) };
}

/** A headless browser; whoever opens it closes it. */
export async function openBrowser() {
  const { executablePath, env } = await findChromium();
  return chromium.launch({
    executablePath,
    env,
    timeout: LAUNCH_TIMEOUT_MS,
    // Its sandbox needs rights that containers and CI machines rarely give. It only ever opens our own pages.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}
