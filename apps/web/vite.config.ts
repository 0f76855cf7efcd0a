import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ours = (name: string): string => here(`../../packages/${name}/src/index.ts`);
const server = process.env['PARLEY_URL'] ?? 'http://127.0.0.1:3000';

/**
 * The web client, with our packages from their sources. `npx vite apps/web` serves it while one works on it, beside a server
 * that `npm start` has started or PARLEY_URL names.
 */
export default defineConfig({
  root: here('.'),
  plugins: [react()],
  resolve: { alias: { '@parley/sdk': ours('sdk'), '@parley/react': ours('react') } },
  build: {
    target: 'es2022',
    // Nothing as data in a document: the policy lets scripts, styles and pictures come from this server alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000,
    emptyOutDir: true,
    rolldownOptions: {
      input: { index: here('index.html'), 'service-worker': here('src/push-worker/service-worker.ts') },
      // The worker keeps its name: browsers ask for it again, and compare.
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/v1': server, '/service-worker.js': server, '/socket.io': { target: server, ws: true } } },
});
