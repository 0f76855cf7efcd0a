export type MaybePromise<T> = T | Promise<T>;

/**
 * Goes on with a value at once when it is there already. `await` would put even that off to a later turn, and with it
 * the place in the order of a socket's commands.
 */
export function whenKnown<T, Next>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Next>): MaybePromise<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}
