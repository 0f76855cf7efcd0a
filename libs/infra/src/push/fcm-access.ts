import { Agent } from 'node:https';
import { type CryptoKey, importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { post } from './https-request.js';
import { jsonOf } from './service-answer.js';

/** What is read of a service account's key file. */
export const ServiceAccountSchema = z.object({
  project_id: z.string().min(1),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default('https://oauth2.googleapis.com/token'),
});
export type ServiceAccount = z.infer<typeof ServiceAccountSchema>;

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const ALGORITHM = 'RS256';
const ASSERTION_SECONDS = 3_600;
/** A token is not used to its last moment. */
const SPARE_MS = 60_000;

/**
 * Access tokens for a service account, each for about an hour. Google's own library asks one fixed address for them, so it
 * can be pointed neither at a stand-in nor at a proxy; the grant is one signed form.
 */
export class FcmAccess {
  private token: { text: string; until: number } | null = null;
  private asking: Promise<string> | null = null;

  private constructor(
    private readonly account: ServiceAccount,
    private readonly key: CryptoKey,
    private readonly agent: Agent,
  ) {}

  /** @throws Error when the key cannot be read */
  static async open(account: ServiceAccount, agent: Agent): Promise<FcmAccess> {
    return new FcmAccess(account, await importPKCS8(account.private_key, ALGORITHM), agent);
  }

  /** @throws Error when none is given */
  async get(withinMs: number): Promise<string> {
    if (this.token && Date.now() < this.token.until) return this.token.text;
    this.asking ??= this.ask(withinMs).finally(() => (this.asking = null));
    return this.asking;
  }

  /** It was refused: the next one is asked for. */
  forget(): void {
    this.token = null;
  }

  private async ask(withinMs: number): Promise<string> {
    const { client_email, private_key_id, token_uri } = this.account;
    const now = Math.floor(Date.now() / 1_000);
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', ...(private_key_id && { kid: private_key_id }) })
      .setIssuer(client_email)
      .setAudience(token_uri)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_SECONDS)
      .sign(this.key);
    const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await post(new URL(token_uri), { headers, body: form.toString(), agent: this.agent, withinMs });
    const { access_token: text, expires_in: seconds } = jsonOf(answer);
    if (answer.status !== 200 || typeof text !== 'string') throw new Error(`no access token: ${answer.status}`);
    const until = Date.now() + (typeof seconds === 'number' ? seconds * 1_000 : SPARE_MS) - SPARE_MS;
    this.token = { text, until };
    return text;
  }
}
