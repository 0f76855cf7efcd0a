/**
 * What differs from the defaults of `nest build`: the folder (the build script swaps a finished one in, so a running
 * server never sees half a build), and a language level of our own instead of ES2021, so that class fields behave in
 * the bundle exactly as they do under the test runner.
 */
export default function configure(defaults) {
  const rules = defaults.module.rules.map((rule) => ({
    ...rule,
    use: rule.use.map((use) => ({
      ...use,
      options: { ...use.options, jsc: { ...use.options.jsc, target: 'es2024' } },
    })),
  }));
  return {
    ...defaults,
    module: { ...defaults.module, rules },
    devtool: 'source-map',
    output: { ...defaults.output, path: process.env.PARLEY_BUILD_DIR },
    // An import that nobody exports is a failure at start; let it be one of the build.
    ignoreWarnings: [],
    stats: { preset: 'errors-warnings' },
  };
}
