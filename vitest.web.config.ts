import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that drive the built web client in a real Chromium, against the built server: one after the other. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/web/**/*.e2e.spec.ts'],
    exclude: [...configDefaults.exclude, 'dist/**'],
    globalSetup: ['test/web/global-setup.ts'],
    fileParallelism: false,
    allowOnly: false,
    // A browser on two cores needs a moment at times. scripts/vitest-run.mjs says which test needed it.
    retry: process.env['CI'] ? 1 : 0,
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
