import { configDefaults, defineConfig } from 'vitest/config';

const roots = '{apps,libs,packages,test}/**';
/** Tests that need engines beside PostgreSQL: vitest.cluster.config.ts runs them. */
const onCluster = ['libs/infra/src/{kafka,cassandra,redis,s3}/**/*.int.spec.ts', 'test/cluster/**'];
/** Tests that need a browser and the built server: vitest.web.config.ts runs them. */
const inBrowser = ['test/web/**'];
const excluded = [...configDefaults.exclude, 'dist/**', 'test/house/fixtures/**', ...onCluster, ...inBrowser];

/** Engines on two cores need a moment at times. scripts/vitest-run.mjs says which test needed it. */
const retry = process.env['CI'] ? 1 : 0;

/**
 * Three kinds of test, told apart by the end of the file name:
 * `.spec.ts` does no I/O, `.int.spec.ts` talks to one real engine, `.e2e.spec.ts` runs the application.
 */
export default defineConfig({
  // Vite's own transformer must emit what Nest and TypeORM read at run time; it does not take that from tsconfig.json.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { tsconfigPaths: true },
  test: {
    // Two cores are what the smallest supported machine has.
    maxWorkers: 2,
    passWithNoTests: true,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [`${roots}/*.spec.ts`],
          exclude: [...excluded, '**/*.int.spec.ts', '**/*.e2e.spec.ts'],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'int',
          retry,
          include: [`${roots}/*.int.spec.ts`],
          exclude: excluded,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          retry,
          include: [`${roots}/*.e2e.spec.ts`],
          exclude: excluded,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
