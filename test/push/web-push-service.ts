import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, type ECDH } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { WebPushSubscription } from '@parley/contracts';
import { jwtVerify } from 'jose';
import { PushService, type ServerCertificates } from './push-service.js';

const SALT_BYTES = 16;
const POINT_BYTES = 65;
const TAG_BYTES = 16;

/** One browser: its keys, and what a page of it would register. */
class Browser {
  readonly path = `/push/${randomBytes(9).toString('base64url')}`;
  private readonly keys: ECDH = createECDH('prime256v1');
  private readonly secret = randomBytes(16);

  constructor() {
    this.keys.generateKeys();
  }

  subscription(origin: string): WebPushSubscription {
    const keys = { p256dh: this.keys.getPublicKey('base64url'), auth: this.secret.toString('base64url') };
    return { endpoint: `${origin}${this.path}`, keys };
  }

  /** RFC 8291 with one record, by the letter of the RFC and by no library that the sender uses. */
  decrypt(body: Buffer): string {
    const salt = body.subarray(0, SALT_BYTES);
    const keyLength = body.readUInt8(SALT_BYTES + 4);
    const start = SALT_BYTES + 5 + keyLength;
    const sender = body.subarray(SALT_BYTES + 5, start);
    if (sender.length !== POINT_BYTES) throw new Error('no key of the sender');
    const shared = this.keys.computeSecret(sender);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.keys.getPublicKey(), sender]);
    const secret = Buffer.from(hkdfSync('sha256', shared, this.secret, info, 32));
    const derive = (name: string, bytes: number): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, salt, `Content-Encoding: ${name}\0`, bytes));
    const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    const padded = Buffer.concat([decipher.update(body.subarray(start, -TAG_BYTES)), decipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
  }
}

/** A browser vendor's push service together with its browsers, which decrypt what they get. */
export class WebPushService extends PushService {
  private readonly browsers = new Map<string, Browser>();
  private readonly server: Server;
  /** What browsers were given, as they decrypt it. */
  readonly contents: string[] = [];
  /** The key that all of its subscriptions were made for. */
  vapidKey: string | null = null;

  private constructor({ key, cert }: ServerCertificates) {
    super();
    this.server = createServer({ key, cert }, (request, response) => {
      this.route(request, response).catch((error: unknown) => response.writeHead(400).end(String(error)));
    });
  }

  static async start(certificates: ServerCertificates): Promise<WebPushService> {
    const service = new WebPushService(certificates);
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  subscribe(vapidKey: string): WebPushSubscription {
    this.vapidKey = vapidKey;
    const browser = new Browser();
    this.browsers.set(browser.path, browser);
    return browser.subscription(this.url);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    this.requests += 1;
    const behaviour = this.behaviour;
    if (behaviour.is === 'hangs') return;
    if (behaviour.is === 'cuts') return void request.socket.destroy();
    if (behaviour.is === 'says-gone') return void response.writeHead(410).end();
    if (behaviour.is === 'refuses') return void response.writeHead(413).end();
    if (behaviour.is === 'fails') {
      const after = behaviour.retryAfter;
      return void response.writeHead(behaviour.status, after ? { 'retry-after': after } : {}).end();
    }
    const browser = this.browsers.get(request.url ?? '');
    if (!browser) return void response.writeHead(404).end();
    await this.checkVapid(request);
    const { topic = '', ttl = '', 'content-encoding': encoding } = request.headers;
    if (encoding !== 'aes128gcm' || !/^\d+$/.test(String(ttl))) throw new Error('not as the RFC says');
    if (!/^[\w-]{0,32}$/.test(String(topic))) throw new Error('no topic of the RFC');
    const text = browser.decrypt(Buffer.concat(parts));
    const { type: kind, title, body, badge, conversationId } = JSON.parse(text);
    this.contents.push(text);
    this.keep({ kind, title, body, badge, collapseId: String(topic), conversationId });
    await this.hold();
    response.writeHead(201).end();
  }

  private async checkVapid(request: IncomingMessage): Promise<void> {
    const [, jwt = '', k = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (k !== this.vapidKey) throw new Error('another key than that of the subscription');
    const point = Buffer.from(k, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const { payload } = await jwtVerify(jwt, key, { algorithms: ['ES256'], audience: this.url });
    if (!/^(mailto:|https:)/.test(payload.sub ?? '')) throw new Error('nobody to turn to');
    if ((payload.exp ?? Infinity) > Date.now() / 1_000 + 24 * 3_600) throw new Error('good for too long');
  }
}
