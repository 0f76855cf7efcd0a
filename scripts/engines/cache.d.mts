/** `ENGINES_CACHE`, or `parley/engines` in the user's folder for caches. */
export function cacheFolder(env?: Readonly<Record<string, string | undefined>>): string;

/**
 * The folder of this name in the cache, which `fill` fills when it is not there. It takes its name only when it is whole.
 * @returns its absolute path
 */
export function cached(name: string, fill: (folder: string) => Promise<void>, folder?: string): Promise<string>;
