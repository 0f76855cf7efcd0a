import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * True when a process on this machine asks for itself. A proxy on this machine connects from loopback too, for callers
 * from anywhere: it is known by the headers it adds, whether or not they are trusted, or by the name of the server that
 * its callers have asked for. A web page that has the browser take its own name for this machine is known by that name.
 */
export function isLocalCaller({ raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>): boolean {
  if (FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) return false;
  return isLoopback(raw.socket.remoteAddress ?? '') && (headers.host === undefined || isNamedLocally(headers.host));
}

function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

function isNamedLocally(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name.replace(/^\[(.*)\]$/, '$1'));
}
