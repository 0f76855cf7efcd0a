import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.js';

const RESTARTS_MAX = 5;
const RESTART_WAIT_MS = 200;
/**
 * A server that ran so long before it ended counts as one that had started well. Short: one that is killed from outside
 * time and again, but serves in between, is worth starting every time; one that cannot run ends within a second.
 */
const STEADY_MS = 3_000;

export interface SupervisedPostgresOptions extends EmbeddedPostgresOptions {
  /** The server is gone for good: the process cannot do its work any more. */
  readonly onLost: (error: Error) => void;
}

export interface SupervisedPostgres {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * The bundled server, started again when it ends by itself. Pools find it at the same address and reconnect; commands
 * that were in flight meanwhile are refused as `store_unavailable` or run again by the pipeline.
 * @throws what `startEmbeddedPostgres` throws, at the first start only
 */
export async function startSupervisedPostgres(options: SupervisedPostgresOptions): Promise<SupervisedPostgres> {
  const { log, onLost } = options;
  let server = await startEmbeddedPostgres(options);
  const { url } = server;
  let stopping = false;
  let restarts = 0;
  let restarting: Promise<void> = Promise.resolve();

  const watch = (current: EmbeddedPostgres): void => {
    const since = Date.now();
    current.onUnexpectedExit((why) => {
      if (stopping) return;
      log('error', why);
      if (Date.now() - since > STEADY_MS) restarts = 0;
      restarting = restart();
    });
  };

  const restart = async (): Promise<void> => {
    let failure: unknown;
    while (!stopping && restarts < RESTARTS_MAX) {
      restarts += 1;
      try {
        await server.stop();
        await delay(RESTART_WAIT_MS * (restarts - 1));
        server = await startEmbeddedPostgres(options);
        if (server.url !== url) throw new Error('The database server came back at another address.');
        log('warn', 'The database server was started again.');
        watch(server);
        return;
      } catch (error) {
        failure = error;
        log('error', `The database server could not be started again: ${(error as Error).message}`);
      }
    }
    if (!stopping) onLost(new Error('The bundled database server does not stay up.', { cause: failure }));
  };

  watch(server);
  return {
    url,
    stop: async () => {
      stopping = true;
      await restarting;
      await server.stop();
    },
  };
}
