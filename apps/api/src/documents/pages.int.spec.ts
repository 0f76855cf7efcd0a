import { createHash } from 'node:crypto';
import { CLIENT_EVENTS, SERVER_EVENTS } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRestDoor, type RestDoor } from '../rest-door.testing.js';
import { asyncApiDocument } from './asyncapi-document.js';
import { asyncApiPage } from './asyncapi-page.js';

let door: RestDoor;
beforeAll(async () => {
  door = await openRestDoor();
});
afterAll(() => door.close());

function addressesIn(html: string): string[] {
  return [...html.matchAll(/(?:href|src)=["']([^"']+)["']/g)].map(([, address]) => address as string);
}

describe.each(['/', '/developers', '/asyncapi'])('the page %s', (url) => {
  it('is HTML for any width, dark and light', async () => {
    const { statusCode, headers, body } = await door.app.inject(url);
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(body).toMatch(/^<!doctype html>/);
    expect(body).toContain('name="viewport"');
    expect(body).toContain('prefers-color-scheme: dark');
  });

  it('has its own style and no script, and its policy allows just that', async () => {
    const { headers, body } = await door.app.inject(url);
    const [, style] = /<style>([\s\S]*?)<\/style>/.exec(body) ?? [];
    const hash = createHash('sha256')
      .update(style ?? '')
      .digest('base64');
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash}'`);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|script-src/);
    expect(body).not.toMatch(/<script|style=|onclick/i);
  });

  it('takes nothing from another host, and each of its links leads somewhere', async () => {
    const { body } = await door.app.inject(url);
    const ids = [...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => `#${id}`);
    const addresses = addressesIn(body).filter((address) => address !== 'data:,' && address !== '/health/live');
    const elsewhere = addresses.filter((address) => !address.startsWith('#'));
    expect(elsewhere.length).toBeGreaterThanOrEqual(3);
    expect(ids).toEqual(expect.arrayContaining(addresses.filter((address) => address.startsWith('#'))));
    for (const address of elsewhere) expect((await door.app.inject(address)).statusCode, address).toBe(200);
  });

  it('opens whatever a link adds to its address', async () => {
    expect((await door.app.inject(`${url}?from=mail`)).statusCode).toBe(200);
  });
});

it.each(['/', '/developers'])(
  'the page %s links the API pages, both documents and health, and shows a client of five lines',
  async (url) => {
    const { body } = await door.app.inject(url);
    const wanted = ['/docs', '/docs-json', '/asyncapi', '/asyncapi.json', '/health/live'];
    expect(addressesIn(body)).toEqual(expect.arrayContaining(wanted));
    const [, client = ''] = /<pre>([\s\S]*?)<\/pre>/.exec(body) ?? [];
    expect(client.trim().split('\n')).toHaveLength(5);
  },
);

it('the page of the socket names each event of the contract', async () => {
  const { body } = await door.app.inject('/asyncapi');
  for (const event of Object.keys(CLIENT_EVENTS)) expect(body).toContain(`id="client.${event}"`);
  for (const event of Object.keys(SERVER_EVENTS)) expect(body).toContain(`id="server.${event}"`);
});

it('what a document says is shown as text, never as markup', () => {
  const document = asyncApiDocument();
  const [message] = Object.values(document.components.messages);
  Object.assign(message as object, { summary: '<img src=x onerror=alert(1)>', name: '"><script>alert(1)</script>' });
  const page = asyncApiPage(document);
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(page).not.toMatch(/<img|<script/);
});

describe('Swagger UI', () => {
  it.each(['/docs', '/docs/'])('at %s loads only what this server has', async (url) => {
    const { body, headers } = await door.app.inject(url);
    const base = `http://here${url}`;
    const assets = addressesIn(body).map((address) => new URL(address, base));
    expect(assets.length).toBeGreaterThanOrEqual(5);
    for (const { host, pathname } of assets) {
      expect(host).toBe('here');
      expect((await door.app.inject(pathname)).statusCode, pathname).toBe(200);
    }
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(body).not.toMatch(/<script(?![^>]*src)/);
  });
});
