import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Nobody, the last so many proxies, or those at these addresses and networks. */
export type TrustProxy = false | number | readonly string[];

/** Where the client of a request is: the socket's other end, or what the trusted proxies in front of it reported. */
export function clientAddressReader(trust: TrustProxy): (request: IncomingMessage) => string {
  const trusted = trustedHop(trust);
  return (request) => {
    const hops = [...forwardedFor(request), request.socket.remoteAddress ?? ''].reverse();
    const untrusted = hops.findIndex((hop, index) => index === hops.length - 1 || !trusted(hop, index));
    return hops[untrusted] ?? '';
  };
}

function trustedHop(trust: TrustProxy): (address: string, index: number) => boolean {
  if (trust === false) return () => false;
  if (typeof trust === 'number') return (_address, index) => index < trust;
  const list = new BlockList();
  for (const entry of trust) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function forwardedFor(request: IncomingMessage): string[] {
  const header = request.headers['x-forwarded-for'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
}
