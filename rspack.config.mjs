import { dirname } from 'node:path';

/**
 * What differs from the defaults of `nest build`: the folder (the build script swaps a finished one in, so a running
 * server never sees half a build), and a language level of our own instead of ES2021, so that class fields behave in
 * the bundle exactly as they do under the test runner.
 */
export default function configure(defaults) {
  // The check for unused code reads this file without the defaults, for the modules that it names.
  const rules = (defaults?.module?.rules ?? []).map((rule) => ({
    ...rule,
    use: rule.use.map((use) => ({
      ...use,
      options: { ...use.options, jsc: { ...use.options.jsc, target: 'es2024' } },
    })),
  }));
  return {
    ...defaults,
    // import.meta is that of the bundle, where it runs; by default it would be the path of a source, where it was built.
    // `?raw` is the text of a file, as it is for the test runner.
    module: {
      ...defaults?.module,
      rules: [...rules, { resourceQuery: /raw/, type: 'asset/source' }],
      parser: { javascript: { importMeta: false } },
    },
    devtool: 'source-map',
    output: {
      ...defaults?.output,
      path: process.env.PARLEY_BUILD_DIR,
      // What is imported later stays beside its own application: the chunks of two would have the same names.
      chunkFilename: `${dirname(defaults?.output?.filename ?? '')}/[id].js`,
    },
    // An import that nobody exports is a failure at start; let it be one of the build.
    ignoreWarnings: [],
    stats: { preset: 'errors-warnings' },
  };
}
