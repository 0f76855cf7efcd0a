import { Distribution, Series } from './series.js';

const DURATION_BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];

/** Enough for each route, method and status of the API several times over. */
const HTTP_SERIES_MAX = 1_000;

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** `http_request_duration_ms{route,method,status}`; beyond a bound, new combinations share the route `other`. */
export class HttpDurations extends Series {
  private readonly rows = new Map<string, { labels: Record<string, string | number>; distribution: Distribution }>();

  constructor() {
    super(
      'http_request_duration_ms',
      'Time from a REST request to the end of its answer, in milliseconds.',
      'histogram',
    );
  }

  observe(route: string, method: string, status: number, durationMs: number): void {
    const knownMethod = METHODS.has(method) ? method : 'other';
    const knownStatus = status >= 100 && status <= 599 && Number.isInteger(status) ? status : 0;
    const key = `${knownMethod} ${knownStatus} ${route}`;
    const row = this.rows.get(key);
    if (row) row.distribution.observe(durationMs);
    else this.rowFor(key, route, knownMethod, knownStatus).observe(durationMs);
  }

  private rowFor(key: string, route: string, method: string, status: number): Distribution {
    const full = this.rows.size >= HTTP_SERIES_MAX;
    const ownKey = full ? `${method} ${status} other` : key;
    const existing = this.rows.get(ownKey);
    if (existing) return existing.distribution;
    const distribution = new Distribution(DURATION_BOUNDS_MS);
    this.rows.set(ownKey, { labels: { route: full ? 'other' : route, method, status }, distribution });
    return distribution;
  }

  protected override readings() {
    return [...this.rows.values()].flatMap(({ labels, distribution }) => distribution.readings(this.name, labels));
  }
}
