import type { IncomingMessage } from 'node:http';

export interface OriginOptions {
  /** Origins of web pages that may connect; `*` allows all. Empty: only this server's own. */
  allowedOrigins: readonly string[];
  publicUrl?: string | undefined;
}

/**
 * Whether a web page of this origin may open a socket. Programs outside a browser send no Origin and are always let in:
 * what proves who they are is their token, which a browser never adds by itself.
 */
export function originPolicy(options: OriginOptions): (request: IncomingMessage) => boolean {
  const allowed = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()));
  if (options.publicUrl) allowed.add(new URL(options.publicUrl).origin);
  return (request) => {
    const origin = request.headers.origin?.toLowerCase();
    if (origin === undefined || allowed.has('*') || allowed.has(origin)) return true;
    const host = request.headers.host?.toLowerCase();
    return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
  };
}
