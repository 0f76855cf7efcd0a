import { beforeEach, describe, expect, it } from 'vitest';
import { Connection, HEARTBEAT_MS, type ConnectionState } from './connection.js';
import { ParleyError } from './errors.js';
import type { Answer, Link, LinkListener, LinkTarget } from './ports.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { ClientEventName, Closing, ConnectAnswer } from './wire.js';

/** A server of one's own: what it is asked, and what it does with the next attempt. */
class Door {
  readonly clock = new VirtualClock();
  readonly states: ConnectionState[] = [];
  readonly targets: LinkTarget[] = [];
  readonly openedAtMs: number[] = [];
  readonly asked: { name: string; payload: unknown }[] = [];
  readonly freshness: boolean[] = [];
  refusals: (ParleyError | null)[] = [];
  isSilent = false;
  gateways: ConnectAnswer | null = null;
  open = 0;
  private listener: LinkListener | null = null;
  readonly connection: Connection;

  constructor() {
    this.connection = new Connection({
      url: 'http://first',
      askGateways: async () => {
        if (this.gateways) return this.gateways;
        throw new ParleyError('not_found', 'an old server', { status: 404 });
      },
      deviceId: 'device',
      clock: this.clock,
      random: () => 0.5,
      tokens: {
        token: async (fresh) => {
          this.freshness.push(fresh);
          return `token-${this.freshness.length}`;
        },
      },
      openLink: (target, listener) => this.link(target, listener),
      onState: (state) => this.states.push(state),
      onEvent: () => {},
    });
  }

  async connected(): Promise<this> {
    this.connection.open();
    await this.clock.advance(0);
    expect(this.status).toBe('connected');
    return this;
  }

  get status(): string {
    return this.connection.state.status;
  }

  /** The server says why, and closes. */
  async closes(closing: Closing): Promise<void> {
    this.listener?.event({ name: 'closing', payload: closing });
    await this.ends();
  }

  async ends(): Promise<void> {
    this.open--;
    this.listener?.ended();
    await this.clock.advance(0);
  }

  says(event: Parameters<LinkListener['event']>[0]): void {
    this.listener?.event(event);
  }

  private async link(target: LinkTarget, listener: LinkListener): Promise<Link> {
    this.targets.push(target);
    this.openedAtMs.push(this.clock.now());
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    this.listener = listener;
    this.open++;
    return {
      close: () => {
        if (this.listener === listener) this.open--;
        this.listener = null;
      },
      ask: <Name extends ClientEventName>(name: Name, payload: unknown, timeoutMs: number) => {
        this.asked.push({ name, payload });
        return new Promise<Answer<Name>>((done, fail) => {
          if (this.isSilent) this.clock.after(timeoutMs, () => fail(new ParleyError('timeout', 'silent')));
          else done({ ok: true } as Answer<Name>);
        });
      },
    };
  }
}

let door: Door;
beforeEach(() => {
  door = new Door();
});
const closing = (reconnect: Closing['reconnect'], more: Partial<Closing> = {}): Closing => ({
  code: 'draining',
  reconnect,
  afterMs: 0,
  ...more,
});

describe('a connection that the server closes', () => {
  it('comes back when it was told, to the server it was told', async () => {
    await door.connected();
    await door.closes(closing('now', { afterMs: 800, url: 'http://second' }));
    expect(door.status).toBe('waiting');
    await door.clock.advance(799);
    expect(door.status).toBe('waiting');
    await door.clock.advance(1);
    expect(door.status).toBe('connected');
    expect(door.targets.at(-1)?.url).toBe('http://second');
    expect(door.freshness).toEqual([false, false]);
  });

  it('goes back to the configured server when the other one does not answer', async () => {
    await door.connected();
    door.refusals = [new ParleyError('network', 'no')];
    await door.closes(closing('now', { url: 'http://second' }));
    await door.clock.advance(10_000);
    expect(door.targets.map(({ url }) => url)).toEqual(['http://first', 'http://second', 'http://first']);
  });

  it('does not come back to the gateway that ends, though it is still named', async () => {
    door.gateways = { url: 'http://g1', path: '/sockets', fallbackUrls: ['http://g2'] };
    await door.connected();
    await door.closes(closing('now', { afterMs: 100 }));
    await door.clock.advance(100);
    expect(door.targets.map(({ url, path }) => url + path)).toEqual(['http://g1/sockets', 'http://g2/sockets']);
  });

  it('stays with its gateway when the closing is about this client only', async () => {
    door.gateways = { url: 'http://g1', path: '/sockets', fallbackUrls: ['http://g2'] };
    await door.connected();
    await door.closes(closing('now', { code: 'slow_consumer' }));
    expect(door.targets.map(({ url }) => url)).toEqual(['http://g1', 'http://g1']);
  });

  it('comes back with a fresh token when it must', async () => {
    await door.connected();
    await door.closes(closing('with_new_token', { code: 'token_expired' }));
    await door.clock.advance(1_000);
    expect(door.freshness).toEqual([false, true]);
    expect(door.status).toBe('connected');
  });

  it('never comes back when it must not, and says why', async () => {
    await door.connected();
    await door.closes(closing('never', { code: 'session_revoked' }));
    await door.clock.advance(3_600_000);
    expect(door.connection.state).toMatchObject({ status: 'closed', error: { code: 'session_revoked' } });
    expect(door.targets).toHaveLength(1);
    expect(door.clock.waiting).toBe(0);
  });

  it('waits longer each time when it is closed again and again', async () => {
    await door.connected();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      await door.closes(closing('now'));
      const state = door.connection.state;
      const waitMs = state.status === 'waiting' ? state.retryAtMs - door.clock.now() : 0;
      waits.push(waitMs);
      await door.clock.advance(waitMs);
    }
    expect(waits[0]).toBe(0);
    expect(waits.slice(1)).toEqual([750, 1_500, 3_000, 6_000, 12_000]);
  });
});

describe('a connection that is lost', () => {
  it('is tried again after growing pauses of at most 30 s, and begins anew once it was stable', async () => {
    await door.connected();
    await door.clock.advance(10_000);
    door.refusals = Array.from({ length: 9 }, () => new ParleyError('network', 'down'));
    await door.ends();
    await door.clock.advance(200_000);
    const pauses = door.openedAtMs.slice(1).map((atMs, i) => atMs - (door.openedAtMs[i] ?? 0));
    expect(pauses.slice(1)).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500, 22_500]);
    expect(door.status).toBe('connected');
    await door.clock.advance(10_000);
    await door.ends();
    expect(door.connection.state).toMatchObject({ status: 'waiting', attempt: 1 });
  });

  it('is noticed by a heartbeat without an answer', async () => {
    await door.connected();
    door.isSilent = true;
    await door.clock.advance(HEARTBEAT_MS);
    expect(door.asked).toEqual([{ name: 'heartbeat', payload: { active: true } }]);
    expect(door.status).toBe('connected');
    await door.clock.advance(10_000);
    expect(door.status).toBe('waiting');
    expect(door.open).toBe(0);
  });

  it('is looked at once after sleep, and given up after 3 s without an answer', async () => {
    await door.connected();
    door.isSilent = true;
    door.connection.wake();
    await door.clock.advance(2_999);
    expect(door.status).toBe('connected');
    await door.clock.advance(1);
    expect(door.status).toBe('waiting');
    door.connection.wake();
    await door.clock.advance(0);
    expect(door.status).toBe('connected');
  });
});

describe('a connection that is refused', () => {
  it('waits as long as the server says', async () => {
    door.refusals = [
      new ParleyError('rate_limited', 'slow down', { status: 429, retryable: true, retryAfterMs: 9_000 }),
    ];
    door.connection.open();
    await door.clock.advance(8_999);
    expect(door.status).toBe('waiting');
    await door.clock.advance(1);
    expect(door.status).toBe('connected');
  });

  it('asks for a fresh token, and ends when fresh ones are refused too', async () => {
    const expired = new ParleyError('token_expired', 'old', { status: 401, retryable: false });
    door.refusals = [expired, expired, expired];
    door.connection.open();
    await door.clock.advance(60_000);
    expect(door.freshness).toEqual([false, true, true]);
    expect(door.connection.state).toMatchObject({ status: 'closed', error: { code: 'token_expired' } });
  });
});

describe('a gateway', () => {
  it('that is not there or is full is passed over, and one that wants patience is not', async () => {
    door.gateways = { url: 'http://g1', path: '/sockets', fallbackUrls: ['http://g2', 'http://g3'] };
    const more = { retryable: true };
    door.refusals = [
      new ParleyError('network', 'nobody there'),
      new ParleyError('overloaded', 'full', { ...more, status: 503 }),
      new ParleyError('rate_limited', 'slow down', { ...more, status: 429 }),
    ];
    door.connection.open();
    await door.clock.advance(9_000);
    expect(door.targets.map(({ url }) => url)).toEqual(['http://g1', 'http://g2', 'http://g3', 'http://g3']);
    expect(door.status).toBe('connected');
  });

  it('is not opened when the client was closed while it was asked for', async () => {
    door.gateways = { url: 'http://g1', path: '/sockets', fallbackUrls: [] };
    door.connection.open();
    door.connection.close();
    await door.clock.advance(60_000);
    expect(door.targets).toEqual([]);
  });
});

describe('an open connection', () => {
  it('is given a fresh token before the old one runs out', async () => {
    await door.connected();
    door.says({ name: 'token_expiring', payload: { expiresAt: '2026-11-22T10:00:00.000Z' } });
    await door.clock.advance(0);
    expect(door.freshness).toEqual([false, true]);
    expect(door.asked).toEqual([{ name: 'authenticate', payload: { token: 'token-2' } }]);
    expect(door.status).toBe('connected');
  });

  it('says at once whether somebody looks at it', async () => {
    await door.connected();
    door.connection.setActive(false);
    door.connection.setActive(false);
    expect(door.asked).toEqual([{ name: 'heartbeat', payload: { active: false } }]);
  });

  it('is one, however often it is opened, and leaves nothing behind when it is closed', async () => {
    for (let i = 0; i < 5; i++) door.connection.open();
    await door.clock.advance(0);
    door.connection.open();
    expect(door.targets).toHaveLength(1);
    door.connection.close();
    expect(door.open).toBe(0);
    expect(door.clock.waiting).toBe(0);
    expect(door.status).toBe('closed');
  });
});
