import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddressReader, type TrustProxy } from './client-address.js';
import { originPolicy } from './origin-policy.js';

const request = (headers: Record<string, string>, remoteAddress = '10.0.0.1'): IncomingMessage =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;
const address = (trust: TrustProxy, forwarded: string): string =>
  clientAddressReader(trust)(request({ 'x-forwarded-for': forwarded }));

describe('the address of a client', () => {
  it('is that of the socket when no proxy is trusted', () => {
    expect(address(false, '1.2.3.4')).toBe('10.0.0.1');
  });
  it('is what so many proxies reported, and no more', () => {
    expect(address(1, '6.6.6.6, 1.2.3.4')).toBe('1.2.3.4');
    expect(address(2, '6.6.6.6, 1.2.3.4, 10.0.0.2')).toBe('1.2.3.4');
    expect(address(5, '1.2.3.4')).toBe('1.2.3.4');
  });
  it('is the first behind the trusted networks', () => {
    expect(address(['10.0.0.0/8'], '6.6.6.6, 1.2.3.4, 10.9.9.9')).toBe('1.2.3.4');
    expect(address(['192.168.0.1'], '1.2.3.4')).toBe('10.0.0.1');
    expect(address(['10.0.0.0/8', 'fd00::/8'], '2001:db8::1, fd00::2')).toBe('2001:db8::1');
  });
});

describe('the origin of a web page', () => {
  const allows = (allowedOrigins: string[], origin: string | undefined, publicUrl?: string): boolean =>
    originPolicy({ allowedOrigins, publicUrl })(
      request({ host: 'chat.example:3000', ...(origin === undefined ? {} : { origin }) }),
    );

  it('is let in when it is this server, or listed, or not a web page at all', () => {
    expect(allows([], undefined)).toBe(true);
    expect(allows([], 'http://chat.example:3000')).toBe(true);
    expect(allows([], 'https://public.example', 'https://public.example/chat')).toBe(true);
    expect(allows(['https://app.example'], 'https://APP.example')).toBe(true);
    expect(allows(['*'], 'https://anything.example')).toBe(true);
  });
  it('is refused otherwise', () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://chat.example:3001',
      'http://chat.example:3000.evil',
    ]) {
      expect([origin, allows(['https://app.example'], origin)]).toEqual([origin, false]);
    }
  });
});
