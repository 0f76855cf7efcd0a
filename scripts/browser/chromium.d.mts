import type { Browser } from 'playwright-core';

type Environment = Readonly<Record<string, string | undefined>>;

export function installedChromium(env?: Environment): string | undefined;
export function findChromium(env?: Environment): Promise<{ executablePath: string; env: Environment }>;
export function openBrowser(): Promise<Browser>;
