import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChromium, installedChromium } from '../../scripts/browser/chromium.mjs';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'parley-chromium-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function program(...path: readonly string[]): string {
  const file = join(home, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

const cache = ['.cache', 'ms-playwright'] as const;

describe('the browser for tests', () => {
  it('is the one that CHROMIUM_PATH names, whatever else there is', async () => {
    program('bin', 'chromium');
    const env = { CHROMIUM_PATH: '/opt/own/chrome', PATH: join(home, 'bin'), HOME: home };
    expect(installedChromium(env)).toBe('/opt/own/chrome');
    expect((await findChromium(env)).executablePath).toBe('/opt/own/chrome');
  });

  it.each(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])(
    'is found on the PATH: %s',
    (name) => {
      const found = program('bin', name);
      expect(installedChromium({ PATH: `/nowhere:${join(home, 'bin')}`, HOME: home })).toBe(found);
    },
  );

  it('is the newest that Playwright has installed', () => {
    program(...cache, 'chromium-999', 'chrome-linux', 'chrome');
    const newest = program(...cache, 'chromium-1200', 'chrome-linux64', 'chrome');
    mkdirSync(join(home, ...cache, 'firefox-2000'), { recursive: true });
    expect(installedChromium({ PATH: '/nowhere', HOME: home })).toBe(newest);
    expect(installedChromium({ PATH: '/nowhere', PLAYWRIGHT_BROWSERS_PATH: join(home, ...cache) })).toBe(newest);
  });

  it('has to be fetched where there is none, and where installed ones are to be left alone', () => {
    expect(installedChromium({ PATH: '/nowhere', HOME: home })).toBeUndefined();
    program('bin', 'chromium');
    const env = { PATH: join(home, 'bin'), HOME: home, ENGINES_IGNORE_INSTALLED: '1' };
    expect(installedChromium(env)).toBeUndefined();
  });
});
