/**
 * Slow on purpose. Concurrency is capped and so is the queue before it: beyond, `overloaded` is thrown at once, so that a
 * flood of logins cannot take the machine from everybody else.
 */
export abstract class PasswordHasher {
  /** @throws DomainError `overloaded` */
  abstract hash(password: string): Promise<string>;
  /**
   * False for a wrong password; and, after the same work, for a user that has none (`encoded` null), so that the time
   * does not tell which names exist.
   * @throws DomainError `overloaded`
   */
  abstract verify(password: string, encoded: string | null): Promise<boolean>;
}
