/**
 * The directions in which this repository may depend. Tests and contract suites are free where a rule says so; what
 * ships is not. Each rule has a violation in test/house/dependency-rules.int.spec.ts.
 */
const tests = '\\.spec\\.ts$';
const testTools = ['\\.spec\\.ts$', '\\.port\\.contract\\.ts$', '(^|/)testing(/|\\.ts$)', '\\.testing\\.ts$', '^test/'];
const installed = 'node_modules/';

/** Packages outside this list are refused; the path of a package always contains its folder in node_modules. */
const onlyPackages = (...names) => ({ path: installed, pathNot: names.map((name) => `${installed}${name}/`) });

module.exports = {
  forbidden: [
    {
      name: 'no-unresolvable',
      comment: 'An import that cannot be resolved is invisible to every other rule here.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'A file that imports nothing and that nobody imports is forgotten.',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.d\\.ts$', tests, '/main\\.ts$'] },
      to: {},
    },
    {
      name: 'contracts-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^libs/contracts/' },
      to: { path: '^(libs/(?!contracts/)|apps/|packages/)' },
    },
    {
      name: 'contracts-know-only-zod',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: testTools },
      to: onlyPackages('zod'),
    },
    {
      name: 'domain-imports-only-contracts',
      comment: 'Specs of handlers run them on the adapters in memory.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: testTools },
      to: { path: '^(libs/infra/|apps/|packages/)' },
    },
    {
      name: 'domain-knows-no-engine',
      comment: 'lru-cache is a data structure: without a time to live it knows no clock.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: testTools },
      to: onlyPackages('@nestjs/common', '@nestjs/cqrs', 'zod', 'rxjs', 'lru-cache'),
    },
    {
      name: 'domain-does-no-io',
      comment: 'node:net is left out: what the domain takes from it is isIP, and sockets open in http and tls anyway.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: testTools },
      to: { path: '^(node:)?(fs|tls|http|http2|https|dgram|dns|child_process|cluster|worker_threads)(/|$)' },
    },
    {
      name: 'infra-knows-no-application',
      severity: 'error',
      from: { path: '^libs/infra/' },
      to: { path: '^(apps/|packages/)' },
    },
    {
      name: 'engines-do-not-meet',
      comment: 'An adapter may use configuration and telemetry; another engine it reaches only through a port.',
      severity: 'error',
      from: { path: '^libs/infra/src/([^/]+)/', pathNot: testTools },
      to: {
        path: '^libs/infra/src/([^/]+)/',
        pathNot: ['^libs/infra/src/$1/', '^libs/infra/src/(config|telemetry)/'],
      },
    },
    {
      name: 'doors-import-no-infra',
      comment: 'Controllers and gateways translate; what they stand on is wired by their module.',
      severity: 'error',
      // apps/standalone has no door of its own: all of it is wiring. apps/cli works on the engines themselves.
      from: { path: '^apps/', pathNot: ['\\.module\\.ts$', '/main\\.ts$', '^apps/(standalone|cli)/', ...testTools] },
      to: { path: '^libs/infra/' },
    },
    {
      name: 'applications-do-not-meet',
      comment: 'Only the standalone application puts the others together.',
      severity: 'error',
      from: { path: '^apps/(api|gateway|worker)/', pathNot: testTools },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'sdk-imports-only-contracts',
      severity: 'error',
      from: { path: '^packages/', pathNot: testTools },
      to: { path: '^(libs/(?!contracts/)|apps/)' },
    },
    {
      name: 'web-imports-only-the-sdk',
      comment: 'The web client is what users could write themselves: it stands on the published packages.',
      severity: 'error',
      from: { path: '^apps/web/' },
      to: { path: '^(libs/|apps/(?!web/)|packages/(?!(sdk|react)/src/index\\.ts$))' },
    },
    {
      name: 'tests-stay-out-of-what-ships',
      severity: 'error',
      from: { path: '^(apps|libs|packages)/', pathNot: testTools },
      to: { path: testTools },
    },
    {
      name: 'ships-without-development-packages',
      severity: 'error',
      // The web client is bundled: what it is made of is not installed beside the server.
      from: { path: '^(apps|libs)/', pathNot: ['^apps/web/', ...testTools] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Only our own: a package that keeps its code in its dist folder (socket.io, rxjs) must stay visible.
    exclude: { path: '^(dist|\\.dist-[^/]+|coverage|data)/' },
    tsPreCompilationDeps: true,
    // Without the paths of the compiler, an alias resolves to nothing and every rule above passes in silence.
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
      mainFields: ['main', 'types'],
    },
  },
};
