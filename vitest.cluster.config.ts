import { configDefaults, defineConfig } from 'vitest/config';

const engines = 'scripts/engines/vitest-setup.mjs';
const exclude = [...configDefaults.exclude, 'dist/**'];
/** It kills its engines: they are its own. */
const crash = 'test/cluster/no-loss.e2e.spec.ts';

/**
 * Tests on the engines of the cluster profile. They find the engines' addresses in the environment, and files of one
 * engine keep apart by names of their own in it.
 */
export default defineConfig({
  // Vite's own transformer must emit what Nest and TypeORM read at run time; it does not take that from tsconfig.json.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { tsconfigPaths: true },
  test: {
    maxWorkers: 2,
    allowOnly: false,
    // Engines on two cores need a moment at times. scripts/vitest-run.mjs says which test needed it.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'engines',
          include: [
            'libs/infra/src/{kafka,cassandra,redis,s3}/**/*.int.spec.ts',
            'test/cluster/**/*.{int,e2e}.spec.ts',
          ],
          exclude: [...exclude, crash],
          globalSetup: [engines],
        },
      },
      { extends: true, test: { name: 'crash', include: [crash], exclude } },
      {
        // The files that `npm test` runs on the embedded profile.
        extends: true,
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.e2e.spec.ts'],
          exclude,
          globalSetup: [engines, 'test/clients/cluster/standing-cluster-setup.ts'],
          env: { TEST_PROFILE: 'cluster' },
        },
      },
    ],
  },
});
