import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../src/core/stats');

/** Files that only other files of core/stats use: not part of what `stats:eval` and docs/statistics.md show. */
const internalFiles: readonly RegExp[] = [
  /^errors\.ts$/,
  /^special\/(beta-tails|double-double|gamma-tails|log-gamma|log1pmx|monotone-inverse|normal-quantile|roots|tail|tail-integral)\.ts$/,
  /^sequential\/(growth-root|dirichlet-evidence)\.ts$/,
  /^counters\/(dispersion|interval|models|rate-fit|rate-likelihood|rate-ratio-fit|rate-ratio-likelihood|restarted-mixture|side)\.ts$/,
  /^cuped\/solve\.ts$/,
  /^decide\/first-passage\.ts$/,
  /^group-sequential\/score-density\.ts$/,
];
/** Guards, and steps that take functions or internal types. */
const internalNames: readonly RegExp[] = [/^require/, /^betaTailAt$/];

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
}

/** An exported function (or constant, without parameters) of core/stats. */
export interface CatalogEntry {
  readonly name: string;
  /** Path below src/core/stats. */
  readonly file: string;
  readonly isFunction: boolean;
  readonly parameters: readonly Parameter[];
  readonly doc: string;
}

/** An exported type: its docstring and its text as written. */
interface CatalogType {
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

export interface Catalog {
  readonly entries: readonly CatalogEntry[];
  readonly types: readonly CatalogType[];
}

/** Reads the public functions of core/stats from their source: names, parameters and docstrings have one home. */
export function readCatalog(): Catalog {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !internalFiles.some((pattern) => pattern.test(file)))
    .sort();
  const entries: CatalogEntry[] = [];
  const types: CatalogType[] = [];
  for (const file of files) {
    const path = join(root, file);
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2024, true);
    for (const statement of source.statements) {
      if (!isExported(statement)) continue;
      entries.push(...entriesOf(statement, file));
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
        types.push({
          name: statement.name.text,
          file,
          text: source.text.slice(statement.getFullStart(), statement.end).trim(),
        });
      }
    }
  }
  const shown = entries.filter(({ name }) => !internalNames.some((pattern) => pattern.test(name)));
  const twice = shown.find((entry, i) => shown.findIndex(({ name }) => name === entry.name) !== i);
  if (twice) throw new Error(`two public functions are called ${twice.name}: a name must say which`);
  return { entries: shown, types };
}

/** Loads the value behind an entry. */
export async function loadEntry(entry: CatalogEntry): Promise<unknown> {
  const module = (await import(join(relative(import.meta.dirname, root), entry.file))) as Record<string, unknown>;
  return module[entry.name];
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function entriesOf(statement: ts.Statement, file: string): CatalogEntry[] {
  if (ts.isFunctionDeclaration(statement) && statement.name) {
    return [entry(statement.name.text, file, statement, statement.parameters)];
  }
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.map((declaration) => {
    const value = declaration.initializer;
    const parameters = value && ts.isArrowFunction(value) ? value.parameters : undefined;
    return entry(declaration.name.getText(), file, statement, parameters);
  });
}

function entry(
  name: string,
  file: string,
  node: ts.Node,
  parameters: ts.NodeArray<ts.ParameterDeclaration> | undefined,
): CatalogEntry {
  return {
    name,
    file,
    isFunction: parameters !== undefined,
    parameters: (parameters ?? []).map(parameterOf),
    doc: docOf(node),
  };
}

/** A destructured parameter is called after its type: `{ n, m2 }: Moments` is `moments`. */
function parameterOf(parameter: ts.ParameterDeclaration): Parameter {
  const initial = parameter.initializer?.getText();
  const type = parameter.type?.getText().replace(/\s+/g, ' ') ?? (initial === 'false' ? 'boolean' : 'number');
  return {
    name: ts.isIdentifier(parameter.name) ? parameter.name.text : type.charAt(0).toLowerCase() + type.slice(1),
    type: initial === undefined ? type : `${type} = ${initial}`,
    isOptional: parameter.questionToken !== undefined || initial !== undefined,
  };
}

function docOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return (ts.getTextOfJSDocComment(doc?.comment) ?? '').trim();
}
