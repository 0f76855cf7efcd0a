import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { DomainError, PasswordHasher } from '@parley/domain';

export interface Argon2Options {
  memoryKib?: number;
  passes?: number;
  /** Hashes at once; each takes a core and the memory. */
  concurrencyMax?: number;
  /** Hashes that wait; beyond, `overloaded`. */
  queueMax?: number;
}

const RETRY_AFTER_MS = 1_000;

/** argon2id with OWASP's parameters: 19 MiB, 2 passes, 1 lane. */
export class Argon2PasswordHasher extends PasswordHasher {
  private readonly cost: { algorithm: 2; memoryCost: number; timeCost: number; parallelism: number };
  private readonly concurrencyMax: number;
  private readonly queueMax: number;
  private readonly waiting: (() => void)[] = [];
  private active = 0;
  /** What is verified when there is nothing to verify against: nobody knows its password. */
  private readonly decoy: Promise<string>;

  constructor(options: Argon2Options = {}) {
    super();
    const { memoryKib = 19_456, passes = 2, concurrencyMax = 2, queueMax = 64 } = options;
    this.cost = { algorithm: 2, memoryCost: memoryKib, timeCost: passes, parallelism: 1 };
    this.concurrencyMax = concurrencyMax;
    this.queueMax = queueMax;
    this.decoy = hash(randomBytes(32), this.cost);
  }

  override hash(password: string): Promise<string> {
    return this.inTurn(() => hash(bytesOf(password), this.cost));
  }

  override verify(password: string, encoded: string | null): Promise<boolean> {
    return this.inTurn(async () => {
      const right = await verify(encoded ?? (await this.decoy), bytesOf(password));
      return right && encoded !== null;
    });
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.active < this.concurrencyMax) {
      this.active++;
    } else {
      if (this.waiting.length >= this.queueMax) {
        throw new DomainError('overloaded', 'Too many sign-ins at once', { retryAfterMs: RETRY_AFTER_MS });
      }
      // Whoever ends hands its turn over, so `active` stays as it is.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.active--;
    }
  }
}

/** Composed, because keyboards differ in how they send the same letter. */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'));
}
