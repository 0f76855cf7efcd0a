import { describe, expect, it } from 'vitest';
import { HealthChecks } from './health-checks.js';
import { Metrics } from './metrics.js';

async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
}

describe('figures of a process’s condition', () => {
  it('tell each part that it needs, and whether it is ready', async () => {
    const [metrics, health] = [new Metrics(), new HealthChecks(5_000, 0)];
    metrics.watchHealth(health);
    let up = true;
    const check = (): void => {
      if (!up) throw new Error('gone');
    };
    health.register('database', check);
    health.watch('redis', check);
    expect(await linesOf(metrics, 'health_part_up{')).toEqual([
      'health_part_up{part="database"} 1',
      'health_part_up{part="redis"} 1',
      'health_part_up{part="process"} 1',
    ]);
    up = false;
    expect(await linesOf(metrics, 'health_part_up{')).toEqual([
      'health_part_up{part="database"} 0',
      'health_part_up{part="redis"} 0',
      'health_part_up{part="process"} 0',
    ]);
  });

  it('tell that a process which lacks only what it can do without is ready', async () => {
    const [metrics, health] = [new Metrics(), new HealthChecks()];
    metrics.watchHealth(health);
    health.watch('redis', () => Promise.reject(new Error('gone')));
    expect(await linesOf(metrics, 'health_part_up{')).toEqual([
      'health_part_up{part="redis"} 0',
      'health_part_up{part="process"} 1',
    ]);
  });

  it('count what went wrong by its kind, and no more kinds than a bound', async () => {
    const metrics = new Metrics();
    metrics.trouble('Redis is lost');
    metrics.trouble('Redis is lost');
    expect(await linesOf(metrics, 'troubles_total{')).toEqual(['troubles_total{what="Redis is lost"} 2']);
    for (let index = 0; index < 500; index += 1) metrics.trouble(`kind ${index}`);
    const lines = await linesOf(metrics, 'troubles_total{');
    expect(lines).toHaveLength(65);
    expect(lines).toContain('troubles_total{what="other"} 437');
  });

  it('tell how many partitions there are', async () => {
    const metrics = new Metrics();
    metrics.logPartitions(48);
    expect(await linesOf(metrics, 'command_log_partitions ')).toEqual(['command_log_partitions 48']);
  });
});
