import { BlockList, isIP } from 'node:net';

/** Addresses that are not on the public internet: what a user names must not make this server call them. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
/** Of IPv6 only what is given out for the internet is public, less the parts of it that carry IPv4 or are examples. */
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');
const PRIVATE_V6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  PRIVATE_V6.addSubnet(network, bits, 'ipv6');
}

export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !PRIVATE.check(address, 'ipv4');
  return version === 6 && PUBLIC_V6.check(address, 'ipv6') && !PRIVATE_V6.check(address, 'ipv6');
}

/**
 * What is wrong with a Web Push endpoint as it is written, or null. What its name stands for is checked when it is
 * called.
 */
export function pushEndpointProblem(endpoint: string, arePrivateEndpointsAllowed: boolean): string | null {
  if (!URL.canParse(endpoint)) return 'Not a URL';
  const { protocol, hostname, username, password } = new URL(endpoint);
  if (username !== '' || password !== '') return 'No user and no password in it';
  const host = hostname.replace(/^\[|\]$/g, '');
  if (arePrivateEndpointsAllowed)
    return protocol === 'https:' || isLoopback(host) ? null : 'It must begin with https://';
  if (protocol !== 'https:') return 'It must begin with https://';
  if (isIP(host) !== 0 && !isPublicAddress(host)) return 'It must be on the public internet';
  return isLoopback(host) || (isIP(host) === 0 && !host.includes('.')) ? 'It must be on the public internet' : null;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
