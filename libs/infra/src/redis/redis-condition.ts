import { createClient } from '@redis/client';

/** What an operator wants to know of Redis. */
export interface RedisCondition {
  version: string;
  /** By its own clock, milliseconds since the epoch. */
  nowMs: number;
}

const ANSWER_MS_MAX = 3_000;

/** Over a connection of its own, which ends with the answer. @throws what Redis answers, or an Error within seconds */
export async function redisCondition({ url, ca }: { url: string; ca?: string | undefined }): Promise<RedisCondition> {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: ANSWER_MS_MAX },
    socket: {
      reconnectStrategy: false,
      connectTimeout: ANSWER_MS_MAX,
      ...(ca !== undefined && { tls: true, ca }),
    },
  });
  // What fails is told by the call that waits for it.
  client.on('error', () => {});
  try {
    await client.connect();
    const [info, time] = await Promise.all([client.info('server'), client.sendCommand(['TIME'])]);
    const [seconds, microseconds] = time as unknown as [string, string];
    return {
      version: /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown',
      nowMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
    };
  } finally {
    client.destroy();
  }
}
