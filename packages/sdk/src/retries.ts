import { backOffMs, pause, type Clock } from './clock.js';
import { toParleyError } from './errors.js';

const TRIES_MAX = 4;
const RETRY_FIRST_MS = 500;
const RETRY_MS_MAX = 10_000;

/** For calls that do the same however often they arrive. @throws ParleyError of the last try, or that no retry helps */
export async function retried<Answer>(
  call: () => Promise<Answer>,
  clock: Clock,
  random: () => number,
  triesMax = TRIES_MAX,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (cause) {
      const error = toParleyError(cause);
      if (!error.retryable || attempt >= triesMax) throw error;
      await pause(clock, error.retryAfterMs ?? backOffMs(attempt - 1, RETRY_FIRST_MS, RETRY_MS_MAX, random));
    }
  }
}
