const BEARER = /^bearer +([^\s]+)$/i;

/** The token of an `Authorization` header, or undefined where there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}
