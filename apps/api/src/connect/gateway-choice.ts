import { createHash } from 'node:crypto';

/**
 * The gateways in the order in which a user should try them, by rendezvous hashing: steady for a user, spread over the
 * gateways for all, and when one comes or goes only its own users move.
 */
export function gatewaysFor(userId: string, urls: readonly string[]): string[] {
  const weight = (url: string): string => createHash('sha1').update(`${url} ${userId}`).digest('hex');
  const weighed = urls.map((url) => ({ url, weight: weight(url) }));
  return weighed.toSorted((one, other) => (one.weight < other.weight ? 1 : -1)).map(({ url }) => url);
}
