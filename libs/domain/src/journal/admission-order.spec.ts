import { describe, expect, it } from 'vitest';
import { AdmissionOrder } from './admission-order.js';

describe('admission order', () => {
  it('runs at once, and keeps nothing, while nothing is being looked up', () => {
    const order = new AdmissionOrder();
    expect(order.run('socket', () => 1)).toBe(1);
    expect(order.run('socket', () => 2)).toBe(2);
    expect(order.waiting).toBe(0);
  });

  it('holds back a quick command behind a slow one of the same socket, and no other', async () => {
    const order = new AdmissionOrder();
    const slow = Promise.withResolvers<void>();
    const ran: string[] = [];
    const first = order.run('socket', async () => {
      await slow.promise;
      ran.push('first');
    });
    const second = order.run('socket', () => void ran.push('second'));
    const third = order.run('socket', () => void ran.push('third'));
    void order.run('other', () => void ran.push('other socket'));
    void order.run(null, () => void ran.push('REST'));
    expect(ran).toEqual(['other socket', 'REST']);
    slow.resolve();
    await Promise.all([first, second, third]);
    expect(ran).toEqual(['other socket', 'REST', 'first', 'second', 'third']);
  });

  it('goes on after a command that failed', async () => {
    const order = new AdmissionOrder();
    const failed = order.run('socket', async () => {
      throw new Error('refused');
    });
    const next = order.run('socket', () => 'admitted');
    await expect(failed).rejects.toThrow('refused');
    expect(await next).toBe('admitted');
  });

  it('forgets a socket when its last command is through', async () => {
    const order = new AdmissionOrder();
    await order.run('socket', async () => {});
    await expect.poll(() => order.waiting).toBe(0);
    expect(order.run('socket', () => 'at once')).toBe('at once');
  });
});
