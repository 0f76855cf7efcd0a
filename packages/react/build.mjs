// Compiles the package into `dist` (or the folder that is named): JavaScript and declarations file by file.
// Usage: node build.mjs [folder]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, 'src');
const out = resolve(process.argv[2] ?? join(here, 'dist'));

function fail(problems) {
  process.stderr.write(
    ts.formatDiagnostics(problems, { ...ts.sys, getCanonicalFileName: (n) => n, getNewLine: () => '\n' }),
  );
  process.exit(1);
}

const config = ts.getParsedCommandLineOfConfigFile(
  join(here, '../../tsconfig.json'),
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => fail([problem]) },
);
const options = { ...config.options, noEmit: false, declaration: true, sourceMap: false, outDir: out };
const program = ts.createProgram([join(src, 'index.ts')], { ...options, target: ts.ScriptTarget.ES2022 });
const own = program.getSourceFiles().filter(({ fileName }) => !relative(src, fileName).startsWith('..'));
const problems = own.flatMap((source) => [
  ...program.getSyntacticDiagnostics(source),
  ...program.getSemanticDiagnostics(source),
]);
if (problems.length > 0) fail(problems);
rmSync(out, { recursive: true, force: true });
for (const source of own) {
  program.emit(source, (name, text) => {
    const end = name.endsWith('.d.ts') ? '.d.ts' : '.js';
    const target = join(out, relative(src, source.fileName).replace(/\.ts$/, end));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  });
}
