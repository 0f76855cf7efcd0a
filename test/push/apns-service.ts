import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { PushService, type ServerCertificates } from './push-service.js';

export const APNS_TEAM = 'TEAM123456';
export const APNS_KEY_ID = 'KEY1234567';
export const APNS_TOPIC = 'com.example.parley';
export const APNS_DEAD_TOKEN = 'dead'.repeat(16);

/** Apple's service as its provider interface describes it: HTTP/2 over TLS, tokens checked, one device a request. */
export class ApnsService extends PushService {
  readonly authorizations = new Set<string>();
  /** Of the latest notification. */
  headers: Record<string, unknown> = {};
  connections = 0;
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly server: Http2SecureServer;

  private constructor({ key, cert }: ServerCertificates) {
    super();
    this.server = createSecureServer({ key, cert });
    this.server.on('session', (session) => {
      this.connections += 1;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session)).on('error', () => {});
    });
    this.server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      this.answer(stream, headers).catch((error: unknown) => respond(stream, 500, String(error)));
    });
  }

  static async start(certificates: ServerCertificates): Promise<ApnsService> {
    const service = new ApnsService(certificates);
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The .p8 file that the developer's account would give. */
  get signingKey(): string {
    return this.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  /** Takes no further requests on the connections that are there. */
  sayGoAway(): void {
    for (const session of this.sessions) session.goaway();
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(stream: ServerHttp2Stream, headers: Record<string, unknown>): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
    this.requests += 1;
    this.headers = headers;
    const behaviour = this.behaviour;
    if (behaviour.is === 'hangs') return;
    if (behaviour.is === 'cuts') return stream.session?.destroy();
    if (behaviour.is === 'says-gone') return respond(stream, 410, 'Unregistered');
    if (behaviour.is === 'refuses') return respond(stream, 413, 'PayloadTooLarge');
    if (behaviour.is === 'fails') return respond(stream, behaviour.status, 'ServiceUnavailable', behaviour.retryAfter);
    const refusal = await this.refusal(headers);
    if (refusal) return respond(stream, ...refusal);
    const { aps, parley } = JSON.parse(Buffer.concat(parts).toString('utf8'));
    const isBackground = headers['apns-push-type'] === 'background';
    if (isBackground && (aps.alert || aps.badge || headers['apns-priority'] !== '5')) {
      return respond(stream, 400, 'InvalidPushType');
    }
    this.keep({
      kind: parley.type,
      title: aps.alert?.title ?? null,
      body: aps.alert?.body ?? null,
      badge: parley.badge,
      collapseId: String(headers['apns-collapse-id']),
      conversationId: parley.conversationId,
    });
    void this.hold().then(() => {
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'apns-id': 'EC1BF194-B3B2-424A-89F7-5A0B5E9D4A1E' });
      stream.end();
    });
  }

  private async refusal(headers: Record<string, unknown>): Promise<[number, string] | null> {
    const [, jwt = ''] = /^bearer (.+)$/.exec(String(headers['authorization'])) ?? [];
    try {
      const options = { algorithms: ['ES256'], issuer: APNS_TEAM, maxTokenAge: '1 hour' };
      const { protectedHeader } = await jwtVerify(jwt, this.keys.publicKey, options);
      if (protectedHeader.kid !== APNS_KEY_ID) return [403, 'InvalidProviderToken'];
    } catch {
      return [403, 'InvalidProviderToken'];
    }
    this.authorizations.add(jwt);
    if (headers['apns-topic'] !== APNS_TOPIC) return [400, 'TopicDisallowed'];
    if (headers[':path'] === `/3/device/${APNS_DEAD_TOKEN}`) return [400, 'BadDeviceToken'];
    if (!/^\/3\/device\/[0-9a-f]{64,200}$/.test(String(headers[':path']))) return [400, 'BadPath'];
    return String(headers['apns-collapse-id']).length > 64 ? [400, 'BadCollapseId'] : null;
  }
}

function respond(stream: ServerHttp2Stream, status: number, reason: string, retryAfter?: string): void {
  if (stream.destroyed) return;
  stream.respond({
    ':status': status,
    'content-type': 'application/json',
    ...(retryAfter && { 'retry-after': retryAfter }),
  });
  stream.end(JSON.stringify({ reason }));
}
