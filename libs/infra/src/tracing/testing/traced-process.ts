// A process as the applications are: tracing first, then everything that imports http and pg.
import { startTracing } from '../tracing.js';

const tracing = await startTracing({
  endpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
  serviceName: 'parley-test',
  sampleRatio: 1,
});
const { serve } = await import('./traced-server.js');
const server = await serve(process.env.DATABASE_URL!);
process.stdout.write(`ready ${server.port}\n`);
process.once('SIGTERM', () => {
  void server
    .close()
    .then(() => tracing?.stop())
    .then(() => process.exit(0));
});
