import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Tests on the engines of the cluster profile. They find the engines' addresses in the environment, and files of one
 * engine keep apart by names of their own in it.
 */
export default defineConfig({
  // Vite's own transformer must emit what Nest and TypeORM read at run time; it does not take that from tsconfig.json.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { tsconfigPaths: true },
  test: {
    include: ['libs/infra/src/{kafka,cassandra,redis}/**/*.int.spec.ts', 'test/cluster/**/*.{int,e2e}.spec.ts'],
    exclude: [...configDefaults.exclude, 'dist/**'],
    globalSetup: ['scripts/engines/vitest-setup.mjs'],
    maxWorkers: 2,
    allowOnly: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
