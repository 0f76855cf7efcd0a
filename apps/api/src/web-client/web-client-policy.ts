/** What pages may use beside this server. */
export interface OtherPlaces {
  /** Addresses of gateways that are known from the start. */
  readonly gatewayUrls: readonly string[];
  /** True where clients are sent to gateways that only become known later. */
  readonly areElsewhere: boolean;
  /** Origins of stores that pictures and files are fetched from. */
  readonly mediaOrigins: readonly string[];
}

/**
 * What the web client may do in a browser: run and style itself with files of this server, show its pictures and those
 * that the user is about to send (`blob:`), and talk to this server and the gateways. No inline script or style, no
 * frame, no form that leaves the page.
 */
export function webClientPolicy({ gatewayUrls, areElsewhere, mediaOrigins }: OtherPlaces): string {
  const gateways = gatewayUrls.map((url) => new URL(url).origin);
  const sockets = gateways.map((origin) => origin.replace(/^http/, 'ws'));
  // A page that came over https is let to secure ones alone by the browser itself; one without goes where the cluster is.
  const unknown = areElsewhere && gateways.length === 0 ? ['http:', 'https:', 'ws:', 'wss:'] : [];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${["'self'", 'blob:', 'data:', ...mediaOrigins].join(' ')}`,
    `media-src ${["'self'", 'blob:', ...mediaOrigins].join(' ')}`,
    `connect-src ${["'self'", ...gateways, ...sockets, ...unknown].join(' ')}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
