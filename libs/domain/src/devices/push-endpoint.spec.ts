import { describe, expect, it } from 'vitest';
import { isPublicAddress, pushEndpointProblem } from './push-endpoint.js';

describe('an endpoint that a user names', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc',
    'https://updates.push.services.mozilla.com/wpush/v2/x',
    'https://1.1.1.1/x',
    'https://[2606:4700::1111]/x',
  ])('may be on the public internet: %s', (endpoint) => expect(pushEndpointProblem(endpoint, false)).toBeNull());

  it.each([
    'http://push.example.com/1',
    'https://127.0.0.1/1',
    'https://2130706433/1',
    'https://0x7f.1/1',
    'https://localhost/1',
    'https://push.localhost/1',
    'https://intranet/1',
    'https://10.1.2.3/1',
    'https://192.168.0.1/1',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/1',
    'https://[::ffff:10.0.0.1]/1',
    'https://[fd00::1]/1',
    'https://[fe80::1]/1',
    'https://ada:secret@push.example.com/1',
    'ftp://push.example.com/1',
    'nonsense',
  ])('may not lead inside: %s', (endpoint) => expect(pushEndpointProblem(endpoint, false)).not.toBeNull());

  it('may be on this machine where that is allowed, and is not read in clear from anywhere else', () => {
    expect(pushEndpointProblem('http://127.0.0.1:8080/1', true)).toBeNull();
    expect(pushEndpointProblem('http://localhost:8080/1', true)).toBeNull();
    expect(pushEndpointProblem('https://10.0.0.1/1', true)).toBeNull();
    expect(pushEndpointProblem('http://10.0.0.1/1', true)).not.toBeNull();
  });

  it('stands for an address that is public or not', () => {
    for (const inside of ['::ffff:127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::', 'fe80::1', '224.0.0.1', 'x'])
      expect(isPublicAddress(inside), inside).toBe(false);
    for (const outside of ['8.8.8.8', '2a00:1450:4001:82b::200a']) expect(isPublicAddress(outside), outside).toBe(true);
  });
});
