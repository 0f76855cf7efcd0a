// The habits of this repository that no ready-made linter knows. `node scripts/tidy.mjs [folder]` lists every breach.
import { readFileSync } from 'node:fs';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { filesBelow, root as repository } from './sources.mjs';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

/** What a second word in a file name may be: the part a file plays. Plain names (`partition-owner.ts`) have none. */
const ROLES = new Set(
  'command query handler decider event port contract projection policy gateway controller dto module entity migration'.split(
    ' ',
  ),
);
/** Not parts but kinds: tests by what they need, the steps of the decider, configuration of tools. */
const KINDS = new Set(['spec', 'int', 'e2e', 'evolve', 'rules', 'state', 'properties', 'config', 'd', 'testing']);
const DRAWERS = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared']);
const SUITE_CALLS = new Set(['describe', 'suite']);
const TEST_CALLS = new Set(['describe', 'suite', 'it', 'test', 'bench']);
/** Not skipIf and runIf: a test that needs root, or Linux, says so with them. */
const SWITCHED_OFF = new Set(['only', 'skip', 'todo', 'fails']);
const REGISTRY = /^\s*(@[\w-]+:)?registry\s*=|"resolved":\s*"https?:|(?<![\w-])registry\.[\w-]+\.[a-z]{2,}\b/m;
/** Files that somebody reads: what is not among them is data or a picture. */
const WRITTEN = /\.(ts|tsx|mjs|cjs|js|json|md|ya?ml|html|sql)$|^(\.npmrc|Dockerfile|run)$/;

const root = resolve(process.argv[2] ?? repository);
const breaches = [];

/** One line for each breach: where, which rule, and what to do about it. */
function report(path, line, rule, sentence) {
  breaches.push(`${relative(root, path)}${line ? `:${line}` : ''}  ${rule}  ${sentence}`);
}

function checkName(path) {
  const inside = relative(root, path).split(sep);
  const name = basename(path);
  for (const part of [...inside.slice(0, -1), ...name.split('.').slice(0, 1)]) {
    if (DRAWERS.has(part))
      report(path, 0, 'no-drawers', `"${part}" says nothing about what is inside: name the subject.`);
  }
  if (!/^(apps|libs|packages)$/.test(inside[0]) || !/\.tsx?$/.test(name)) return;
  const [words, ...parts] = name.replace(/\.tsx?$/, '').split('.');
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(words)) report(path, 0, 'kebab-names', `"${words}" is not in kebab-case.`);
  for (const part of parts) {
    if (!ROLES.has(part) && !KINDS.has(part)) report(path, 0, 'known-roles', `".${part}" is not one of the roles.`);
  }
}

function checkPort(path, all) {
  const inside = relative(root, path).split(sep).join('/');
  if (!inside.startsWith('libs/domain/src/') || !path.endsWith('.port.ts')) return;
  const suite = path.replace(/\.port\.ts$/, '.port.contract.ts');
  if (!all.has(suite)) report(path, 0, 'ports-have-suites', `There is no ${basename(suite)} beside it.`);
}

function checkLength(path, text) {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > FILE_LINES_MAX) {
    report(path, 0, 'file-length', `${lines} lines, and ${FILE_LINES_MAX} are the most a file may have.`);
  }
}

/** The name a call starts with: `describe` of `describe.each(table)('…', () => …)`. */
function calledName(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression))
    return calledName(expression.expression);
  return '';
}

/** A function that holds a suite is as long as its suite: the tests inside are measured one by one. */
function holdsSuite(node) {
  if (ts.isCallExpression(node.parent) && SUITE_CALLS.has(calledName(node.parent.expression))) return true;
  return ts.isBlock(node.body ?? node) && node.body.statements.some(isTestStatement);
}

function isTestStatement(statement) {
  return (
    ts.isExpressionStatement(statement) &&
    ts.isCallExpression(statement.expression) &&
    TEST_CALLS.has(calledName(statement.expression.expression))
  );
}

function checkFunction(path, source, node) {
  if (!ts.isFunctionLike(node) || !node.body || holdsSuite(node)) return;
  const from = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const lines = source.getLineAndCharacterOfPosition(node.end).line - from + 1;
  if (lines > FUNCTION_LINES_MAX) {
    report(
      path,
      from + 1,
      'function-length',
      `${lines} lines, and ${FUNCTION_LINES_MAX} are the most a function may have.`,
    );
  }
}

function checkSwitchedOff(path, source, node) {
  if (!ts.isPropertyAccessExpression(node) || !SWITCHED_OFF.has(node.name.text)) return;
  if (!TEST_CALLS.has(calledName(node.expression))) return;
  const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
  report(path, line + 1, 'no-switched-off-tests', `"${node.getText(source)}": a test runs, or it is not there.`);
}

function checkConsole(path, source, node) {
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return;
  if (node.expression.text !== 'console' || relative(root, path).split(sep)[0] !== 'libs') return;
  const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
  report(path, line + 1, 'no-console-in-libs', 'a library logs through the logger it is given.');
}

function checkSyntax(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const isTest = /\.(spec|port\.contract)\.tsx?$/.test(path);
  const visit = (node) => {
    checkFunction(path, source, node);
    checkConsole(path, source, node);
    if (isTest) checkSwitchedOff(path, source, node);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function checkRegistry(path, text) {
  if (REGISTRY.test(text)) report(path, 0, 'no-registry-host', 'an address of a registry belongs to a machine.');
}

const folders = ['apps', 'libs', 'packages', 'scripts', 'test'].map((name) => join(root, name));
const files = folders.flatMap(filesBelow);
const all = new Set(files);
for (const path of files) {
  checkName(path);
  checkPort(path, all);
  if (!['.ts', '.tsx', '.mjs', '.cjs', '.js'].includes(extname(path))) continue;
  const text = readFileSync(path, 'utf8');
  checkLength(path, text);
  checkSyntax(path, text);
}
for (const path of filesBelow(root)) {
  if (!WRITTEN.test(basename(path))) continue;
  checkRegistry(path, readFileSync(path, 'utf8'));
}

for (const breach of breaches) process.stdout.write(`${breach}\n`);
process.stdout.write(`${files.length} files looked at, ${breaches.length} breaches\n`);
process.exitCode = breaches.length > 0 ? 1 : 0;
