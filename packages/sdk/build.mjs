// Compiles the package into `dist` (or the folder that is named): JavaScript and declarations file by file. The shapes of
// the wire are written out in full, so that users need neither zod nor the contracts. Usage: node build.mjs [folder]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, 'src');
const out = resolve(process.argv[2] ?? join(here, 'dist'));
const wire = join(src, 'wire.ts');
/** A file that exists only for the compiler: the generic types of the wire as tables that can be written out. */
const tables = join(src, 'wire-tables.ts');
const TABLES = {
  ClientEventAnswer: 'ClientEventName',
  ClientEventPayload: 'ClientEventName',
  ServerEventPayload: 'ServerEventName',
};
const PAGE = 'export interface Page<Item> {\n  items: Item[];\n  nextCursor: string | null;\n}\n';

const config = ts.getParsedCommandLineOfConfigFile(
  join(here, '../../tsconfig.json'),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (problem) => fail([problem]),
  },
);
const options = {
  ...config.options,
  noEmit: false,
  declaration: true,
  sourceMap: false,
  stripInternal: true,
  target: ts.ScriptTarget.ES2022,
  outDir: out,
};
const host = ts.createCompilerHost(options);
const disk = ts.createCompilerHost(options);
const tablesText = Object.entries(TABLES)
  .map(([name, key]) => `export type ${name}s = { [Name in wire.${key}]: wire.${name}<Name> };`)
  .join('\n');
host.readFile = (name) => (resolve(name) === tables ? textOfTables() : disk.readFile(name));
host.fileExists = (name) => resolve(name) === tables || disk.fileExists(name);
host.getSourceFile = (name, ...more) =>
  resolve(name) === tables
    ? ts.createSourceFile(name, textOfTables(), options.target)
    : disk.getSourceFile(name, ...more);

const program = ts.createProgram([join(src, 'index.ts'), tables], options, host);
const checker = program.getTypeChecker();

function textOfTables() {
  return `import type * as wire from './wire.js';\n${tablesText}\n`;
}

function fail(problems) {
  process.stderr.write(
    ts.formatDiagnostics(problems, { ...ts.sys, getCanonicalFileName: (n) => n, getNewLine: () => '\n' }),
  );
  process.exit(1);
}

const known = new Map();

function written(type, isTop = false) {
  const name = known.get(type);
  if (name && !isTop) return name;
  if (type.isUnion()) return union(type);
  if (checker.isArrayType(type)) return `${bracketed(checker.getTypeArguments(type)[0])}[]`;
  if (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return object(type);
  return checker.typeToString(type);
}

function union(type) {
  const parts = type.types.map((part) => written(part));
  const isBoolean = parts.includes('true') && parts.includes('false');
  const rest = isBoolean ? [...parts.filter((part) => part !== 'true' && part !== 'false'), 'boolean'] : parts;
  return [...new Set(rest)].join(' | ');
}

function bracketed(type) {
  const text = written(type);
  return type.isUnion() && !known.has(type) ? `(${text})` : text;
}

function object(type) {
  const lines = checker.getPropertiesOfType(type).map((property) => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const told = checker.getTypeOfSymbol(property);
    const value = isOptional ? checker.getNonNullableType(told) : told;
    // getNonNullableType takes null away too: it is put back where it was.
    const isNullable = isOptional && told.isUnion() && told.types.some((part) => part.flags & ts.TypeFlags.Null);
    return `${property.name}${isOptional ? '?' : ''}: ${written(value)}${isNullable ? ' | null' : ''}${isOptional ? ' | undefined' : ''};`;
  });
  for (const { keyType, type: value } of checker.getIndexInfosOfType(type)) {
    // Of `{ok: true} & Record<string, never>` only the first half can be met.
    if (value.flags & ts.TypeFlags.Never) continue;
    lines.push(`[key: ${checker.typeToString(keyType)}]: ${written(value)};`);
  }
  return lines.length === 0 ? 'Record<string, never>' : `{ ${lines.join(' ')} }`;
}

function wireDeclarations() {
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(wire)));
  const types = exported
    .filter(({ name }) => !(name in TABLES) && name !== 'Page')
    .map((symbol) => ({ name: symbol.name, type: checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol)) }));
  for (const { name, type } of types) if (!known.has(type)) known.set(type, name);
  const lines = types.map(({ name, type }) => `export type ${name} = ${written(type, true)};`);
  const tableTypes = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(tables)));
  for (const symbol of tableTypes) {
    const name = symbol.name.replace(/s$/, '');
    lines.push(`type ${symbol.name} = ${object(checker.getDeclaredTypeOfSymbol(symbol))};`);
    lines.push(`export type ${name}<Name extends ${TABLES[name]}> = ${symbol.name}[Name];`);
  }
  return `${PAGE}${lines.join('\n')}\nexport {};\n`;
}

// Only of our own files: the rest is checked where it is at home.
const problems = program
  .getSourceFiles()
  .filter(({ fileName }) => !relative(src, fileName).startsWith('..'))
  .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
if (problems.length > 0) fail(problems);
rmSync(out, { recursive: true, force: true });
for (const source of program.getSourceFiles()) {
  const inside = relative(src, source.fileName);
  if (inside.startsWith('..') || resolve(source.fileName) === tables) continue;
  program.emit(source, (name, text) => {
    const end = name.endsWith('.d.ts') ? '.d.ts' : '.js';
    const target = join(out, inside.replace(/\.ts$/, end));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, inside === 'wire.ts' && end === '.d.ts' ? wireDeclarations() : text);
  });
}
