import type { Actor, Principal } from '@parley/domain';

/** A caller over REST: no socket of theirs sent this, so all of them hear of it. */
export function actorOf(caller: Principal): Actor {
  return { userId: caller.userId, connectionId: null };
}
