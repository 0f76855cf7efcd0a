import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRestDoor, type RestDoor } from '../rest-door.testing.js';

const SCRIPT = 'console.log("parley");\n'.repeat(100);
const WORKER = 'self.addEventListener("push", () => {});';
const PAGE = '<!doctype html><div id="root"></div><script type="module" src="/assets/index-abc.js"></script>';

let folder: string;
let door: RestDoor;
let empty: RestDoor;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-web-'));
  await mkdir(join(folder, 'web', 'assets'), { recursive: true });
  const files: Record<string, string | Buffer> = {
    'secret.js': 'outside',
    'web/index.html': PAGE,
    'web/service-worker.js': WORKER,
    'web/favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'web/assets/index-abc.js': SCRIPT,
    'web/assets/index-abc.js.br': brotliCompressSync(SCRIPT),
    'web/assets/index-abc.js.gz': gzipSync(SCRIPT),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  door = await openRestDoor({ webClientFolder: join(folder, 'web') });
  empty = await openRestDoor({ webClientFolder: join(folder, 'nowhere') });
});
afterAll(async () => {
  await Promise.all([door.close(), empty.close()]);
  await rm(folder, { recursive: true });
});

describe('the web client', () => {
  it.each(['/', '/login', '/signup', '/settings', '/c/0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90', '/?from=mail'])(
    'is the same page at %s, which a browser asks for each time',
    async (url) => {
      const { statusCode, headers, body } = await door.app.inject(url);
      expect(statusCode).toBe(200);
      expect(body).toBe(PAGE);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-cache');
    },
  );

  it('may run, style and connect with this server alone, and nothing inline', async () => {
    const policy = String((await door.app.inject('/')).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https:|\*/);
  });

  it('may connect to the gateways that are known, and to any only where none is', async () => {
    const connectOf = async (settings: { gatewayUrls: string[] }) => {
      const other = await openRestDoor({
        webClientFolder: join(folder, 'web'),
        settings: { ...settings, areSocketsElsewhere: true },
      });
      const policy = String((await other.app.inject('/')).headers['content-security-policy']);
      await other.close();
      return /connect-src ([^;]*)/.exec(policy)?.[1];
    };
    expect(await connectOf({ gatewayUrls: ['https://gw-1.example/x', 'http://10.0.0.2:3001'] })).toBe(
      "'self' https://gw-1.example http://10.0.0.2:3001 wss://gw-1.example ws://10.0.0.2:3001",
    );
    expect(await connectOf({ gatewayUrls: [] })).toBe("'self' http: https: ws: wss:");
  });

  it('may show pictures of the store that browsers are sent to, and fetch nothing else there', async () => {
    const other = await openRestDoor({
      webClientFolder: join(folder, 'web'),
      settings: { mediaOrigins: ['https://files.example'] },
    });
    const policy = String((await other.app.inject('/')).headers['content-security-policy']);
    await other.close();
    expect(policy).toContain("img-src 'self' blob: data: https://files.example;");
    expect(policy).toContain("media-src 'self' blob: https://files.example;");
    expect(policy.match(/files\.example/g)).toHaveLength(2);
  });

  it('has a worker that may do no more than the page, and that a browser asks for each time', async () => {
    const { statusCode, headers, body } = await door.app.inject('/service-worker.js');
    expect(statusCode).toBe(200);
    expect(body).toBe(WORKER);
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toBe((await door.app.inject('/')).headers['content-security-policy']);
  });

  it('keeps hashed files for good, in the smallest form that the browser takes', async () => {
    const get = (encodings: string) =>
      door.app.inject({ url: '/assets/index-abc.js', headers: { 'accept-encoding': encodings } });
    const [brotli, gzip, plain] = [await get('gzip, deflate, br'), await get('gzip'), await get('')];
    for (const { headers } of [brotli, gzip, plain]) {
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
      expect(headers['vary']).toBe('accept-encoding');
    }
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(brotli.rawPayload).toString()).toBe(SCRIPT);
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.rawPayload).toString()).toBe(SCRIPT);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body).toBe(SCRIPT);
  });

  it('is not sent again to a browser that has it', async () => {
    const { headers } = await door.app.inject('/');
    const again = await door.app.inject({ url: '/', headers: { 'if-none-match': String(headers['etag']) } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });

  it.each(['/assets/nothing.js', '/assets/..%2f..%2fsecret.js', '/assets/../../secret.js', '/assets/index-abc.js.br'])(
    'has no other files: %s',
    async (url) => {
      expect((await door.app.inject(url)).statusCode).toBe(404);
    },
  );

  it('leaves `/` to the page about this server where it was not built', async () => {
    expect((await empty.app.inject('/')).body).toContain('<h1>Parley</h1>');
    expect((await empty.app.inject('/login')).statusCode).toBe(404);
    expect((await empty.app.inject('/assets/index-abc.js')).statusCode).toBe(404);
  });
});
