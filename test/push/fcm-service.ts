import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { PushService, type ServerCertificates } from './push-service.js';

const PROJECT = 'parley-test';
const CLIENT = 'push@parley-test.iam.gserviceaccount.com';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

interface FcmMessage {
  token?: string;
  data: Record<string, string>;
  notification?: { title?: string; body?: string };
  android: { collapse_key: string };
}

/** Google's HTTP v1 service and the token endpoint beside it. */
export class FcmService extends PushService {
  tokensGiven = 0;
  /** Access tokens from before are refused from now on. */
  private validFrom = 1;
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  private readonly server: Server;

  private constructor({ key, cert }: ServerCertificates) {
    super();
    this.server = createServer({ key, cert }, (request, response) => {
      this.route(request, response).catch((error: unknown) =>
        json(response, 500, { error: { message: String(error) } }),
      );
    });
  }

  static async start(certificates: ServerCertificates): Promise<FcmService> {
    const service = new FcmService(certificates);
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The key file that the console would give, with this token endpoint. */
  get account() {
    return {
      type: 'service_account',
      project_id: PROJECT,
      private_key_id: 'key-1',
      private_key: this.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      client_email: CLIENT,
      token_uri: `${this.url}/token`,
    };
  }

  revokeAccess(): void {
    this.validFrom = this.tokensGiven + 1;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
    if (request.url === '/token') return this.giveToken(text, response);
    if (request.url !== `/v1/projects/${PROJECT}/messages:send`) return refuse(response, 404, 'NOT_FOUND');
    this.requests += 1;
    const behaviour = this.behaviour;
    if (behaviour.is === 'hangs') return;
    if (behaviour.is === 'cuts') return void request.socket.destroy();
    if (behaviour.is === 'says-gone') return refuse(response, 404, 'NOT_FOUND', 'UNREGISTERED');
    if (behaviour.is === 'refuses') return refuse(response, 400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT');
    if (behaviour.is === 'fails') {
      if (behaviour.retryAfter) response.setHeader('retry-after', behaviour.retryAfter);
      return refuse(response, behaviour.status, 'UNAVAILABLE');
    }
    const [, given = '0'] = /^Bearer access-(\d+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (Number(given) < this.validFrom) return refuse(response, 401, 'UNAUTHENTICATED');
    await this.take(JSON.parse(text), response);
  }

  private async take({ message }: { message: FcmMessage }, response: ServerResponse): Promise<void> {
    const { data, notification, android } = message;
    const isText = Object.values(data).every((value) => typeof value === 'string');
    if (!message.token || !isText || (notification && !notification.title)) {
      return refuse(response, 400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT');
    }
    this.keep({
      kind: data['type'] ?? '',
      title: notification?.title ?? null,
      body: notification?.body ?? null,
      badge: Number(data['badge']),
      collapseId: android.collapse_key,
      conversationId: data['conversationId'] ?? '',
    });
    await this.hold();
    json(response, 200, { name: `projects/${PROJECT}/messages/${this.requests}` });
  }

  private async giveToken(text: string, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(text);
    try {
      if (form.get('grant_type') !== GRANT) throw new Error('another grant');
      const options = { algorithms: ['RS256'], issuer: CLIENT, audience: `${this.url}/token`, maxTokenAge: '1 hour' };
      const { payload } = await jwtVerify(form.get('assertion') ?? '', this.keys.publicKey, options);
      if (payload['scope'] !== 'https://www.googleapis.com/auth/firebase.messaging') throw new Error('another scope');
    } catch (error) {
      return json(response, 400, { error: 'invalid_grant', error_description: String(error) });
    }
    this.tokensGiven += 1;
    json(response, 200, { access_token: `access-${this.tokensGiven}`, expires_in: 3_600, token_type: 'Bearer' });
  }
}

function refuse(response: ServerResponse, code: number, status: string, errorCode?: string): void {
  const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
  json(response, code, {
    error: { code, status, message: status, details: errorCode ? [{ '@type': type, errorCode }] : [] },
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
