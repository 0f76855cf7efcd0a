import type { MediaStorage } from '@parley/domain';

/** Signed for, and never asked for: only where it leads is of interest. */
const NO_MEDIUM = '00000000-0000-7000-8000-000000000000';
const SECONDS = 60;

/**
 * Where browsers are sent for the bytes of media; empty where this server gives them out itself. The store is asked,
 * because only it knows whether its buckets are in paths or in host names.
 */
export async function mediaLinkOrigins(storage: MediaStorage): Promise<string[]> {
  const link = await storage.link(NO_MEDIUM, 'original', { mimeType: 'image/png', disposition: 'inline' }, SECONDS);
  return link === null ? [] : [new URL(link).origin];
}
