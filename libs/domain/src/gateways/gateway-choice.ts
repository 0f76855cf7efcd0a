import { createHash } from 'node:crypto';
import type { GatewayEntry } from '../ports/gateway-registry.port.js';

/** A gateway is clearly more loaded than others with so much more than the average, and so many sockets beside. */
const LOAD_ABOVE_AVERAGE = 1.25;
const CONNECTIONS_ABOVE_AVERAGE = 50;

/** What a client can tell apart: several gateways behind one address are one place. */
type Place = Pick<GatewayEntry, 'url' | 'region' | 'connections'>;

/**
 * The addresses in the order in which a user should try them, by rendezvous hashing: steady for a user, spread over the
 * gateways for all, and when one comes or goes only its own users move.
 */
export function rendezvous(userId: string, urls: readonly string[]): string[] {
  const weight = (url: string): string => createHash('sha1').update(`${url} ${userId}`).digest('hex');
  const weighed = urls.map((url) => ({ url, weight: weight(url) }));
  return weighed.toSorted((one, other) => (one.weight < other.weight ? 1 : -1)).map(({ url }) => url);
}

/**
 * The addresses of gateways in the order in which a user should try them: those of the region first, among them those
 * that are not clearly more loaded than the others, and among those steady for the user. So a gateway that comes new takes
 * all newcomers until it carries its part, and nobody moves for a difference of a few sockets. Draining ones are left out.
 */
export function gatewaysFor(userId: string, region: string | null, gateways: readonly GatewayEntry[]): string[] {
  const places = placesOf(gateways);
  const here = places.filter((place) => region === null || place.region === region);
  const elsewhere = places.filter((place) => !here.includes(place));
  return [...byLoad(userId, here), ...byLoad(userId, elsewhere)];
}

function byLoad(userId: string, places: readonly Place[]): string[] {
  const average = places.reduce((sum, { connections }) => sum + connections, 0) / places.length;
  const most = average * LOAD_ABOVE_AVERAGE + CONNECTIONS_ABOVE_AVERAGE;
  const urlsOf = (some: readonly Place[]): string[] =>
    rendezvous(
      userId,
      some.map(({ url }) => url),
    );
  const [free, full] = [places.filter((p) => p.connections <= most), places.filter((p) => p.connections > most)];
  return [...urlsOf(free), ...urlsOf(full)];
}

/** One that was restarted is listed twice for a while: the emptier one is it. */
function placesOf(gateways: readonly GatewayEntry[]): Place[] {
  const places = new Map<string, Place>();
  for (const gateway of gateways) {
    if (gateway.draining) continue;
    const known = places.get(gateway.url);
    if (!known || gateway.connections < known.connections) places.set(gateway.url, gateway);
  }
  return [...places.values()];
}
