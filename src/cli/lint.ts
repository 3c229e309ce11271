import { type Document, isMap, isSeq, LineCounter, parseAllDocuments, YAMLParseError } from 'yaml';
import { lintMetric, lintRollout } from '../api/lint-rules.ts';
import type { MetricSpec } from '../api/metric.ts';
import { GROUP } from '../api/names.ts';
import { parseFeatureFlag, parseMetric, parseRollout } from '../api/parse.ts';
import { type Problem, problem } from '../api/problem.ts';
import type { Metric, Rollout } from '../api/resource.ts';
import { type Code, codes, SluiceError } from '../base/errors.ts';
import { compileSpec } from '../core/flags/compile-spec.ts';
import { plainOf, READ_AS_KUBECTL } from '../wire/manifest-yaml.ts';
import { firstLine, withoutControls } from './text.ts';

/** Room for some hundred manifests. */
export const MAX_FILE_BYTES = 4 * 2 ** 20;
const MAX_DOCUMENTS = 1_000;

export interface Finding extends Problem {
  /** `Error`: the API server would refuse it. `Doubt`: works, but hardly as its author thinks. */
  readonly severity: 'Error' | 'Doubt';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Kind and name of the object. */
  readonly object: string;
}

export interface LintResult {
  readonly findings: readonly Finding[];
  /** Objects of Sluice that were looked at. */
  readonly checked: number;
  /** Objects of other kinds. */
  readonly others: number;
}

/** One object of a file, with how to find the line of a field. */
interface Source {
  readonly file: string;
  readonly value: Manifest;
  lineOf(path: string): number;
}

interface Manifest {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown } | null;
  /** Of a List. */
  readonly items?: unknown;
}

/** Looks at all Rollouts, Metrics and FeatureFlags of these files; a Metric in one serves the Rollouts of all. */
export function lintFiles(files: readonly (readonly [name: string, text: string])[]): LintResult {
  const findings: Finding[] = [];
  const sources = files.flatMap(([file, text]) => sourcesOf(file, text, findings));
  const parsed = sources.flatMap((source) => parse(source, findings));
  const metrics = new Map(parsed.flatMap(({ metric }) => (metric ? [[metric.metadata.name, metric.spec]] : [])));
  for (const { source, rollout, metric } of parsed) {
    const doubts = [
      ...(rollout ? lintRollout(rollout.spec, (name): MetricSpec | undefined => metrics.get(name)) : []),
      ...(metric ? lintMetric(metric.spec) : []),
    ];
    findings.push(...doubts.map((doubt) => finding(source, 'Doubt', doubt)));
  }
  const inOrder = findings.toSorted(
    (a, b) =>
      files.findIndex(([name]) => name === a.file) - files.findIndex(([name]) => name === b.file) || a.line - b.line,
  );
  return { findings: inOrder, checked: parsed.length, others: sources.length - parsed.length };
}

function sourcesOf(file: string, text: string, findings: Finding[]): Source[] {
  const counter = new LineCounter();
  const documents = parseAllDocuments(text, { ...READ_AS_KUBECTL, lineCounter: counter });
  if (documents.length > MAX_DOCUMENTS) {
    throw new SluiceError('SLUICE_CLI_FILE', `${file} holds more than ${MAX_DOCUMENTS} documents`);
  }
  const lineAt = (offset: number) => counter.linePos(offset).line;
  return documents.flatMap((document) => {
    try {
      const lineOf = (path: string) => lineAt(offsetOf(document, path));
      return manifestsIn(plainOf(document)).map(([value, at]) => ({
        file,
        value,
        lineOf: (path: string) => lineOf(`${at}.${path}`),
      }));
    } catch (error) {
      const message = firstLine(error).replace(/ at line .*$/, '');
      const line = lineAt(error instanceof YAMLParseError ? error.pos[0] : rangeStart(document.contents));
      findings.push({ ...problem('SLUICE_CLI_FILE', [], message), severity: 'Error', file, line, object: 'document' });
      return [];
    }
  });
}

/** The objects of a document with where they stand in it: itself, or the items of a List, which `kubectl get -o yaml` prints. */
function manifestsIn(value: unknown): (readonly [value: Manifest, at: string])[] {
  if (!isObject(value)) return [];
  const { kind, items } = value;
  if (kind !== 'List' || !Array.isArray(items)) return [[value, '']];
  return items.flatMap((item, index) => (isObject(item) ? [[item, `items[${index}]`] as const] : []));
}

const isObject = (value: unknown): value is Manifest => typeof value === 'object' && value !== null;

interface Parsed {
  readonly source: Source;
  readonly rollout?: Rollout;
  readonly metric?: Metric;
}

/** Nothing for objects of other groups. */
function parse(source: Source, findings: Finding[]): Parsed[] {
  const { apiVersion, kind } = source.value;
  if (!String(apiVersion).startsWith(`${GROUP}/`)) return [];
  if (kind === 'Rollout') {
    const result = parseRollout(source.value);
    if (result.ok) return [{ source, rollout: result.rollout }];
    findings.push(...result.problems.map((found) => finding(source, 'Error', found)));
  } else if (kind === 'Metric') {
    const result = parseMetric(source.value);
    if (result.ok) return [{ source, metric: result.metric }];
    findings.push(...result.problems.map((found) => finding(source, 'Error', found)));
  } else if (kind === 'FeatureFlag') {
    findings.push(...flagProblemsOf(source.value).map((found) => finding(source, 'Error', found)));
  } else {
    const message = 'must be Rollout, Metric or FeatureFlag';
    findings.push(finding(source, 'Error', problem('SLUICE_FIELD_INVALID', ['kind'], message)));
  }
  return [{ source }];
}

/** What the API server or the compiler would not accept. Other flags that it names are not looked for. */
function flagProblemsOf(value: Manifest): readonly Problem[] {
  const parsed = parseFeatureFlag(value);
  if (!parsed.ok) return parsed.problems;
  const { metadata, spec } = parsed.flag;
  const compiled = compileSpec(metadata.namespace ?? '', spec.key ?? metadata.name, spec);
  if (compiled.ok) return [];
  return compiled.problems.map(({ path, message }) => ({ code: 'SLUICE_FIELD_INVALID', path, message }));
}

function finding({ file, lineOf, value }: Source, severity: Finding['severity'], found: Problem): Finding {
  const object = `${value.kind} ${value.metadata?.name ?? '(no name)'}`;
  return { ...found, severity, file, line: lineOf(found.path), object };
}

/** Where the field stands, or the nearest thing around it that is there. */
function offsetOf(document: Document, path: string): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node);
  for (const part of path.split(/[.[\]]+/).filter((one) => one !== '')) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String((key as { value?: unknown }).value) === part);
      if (pair) offset = rangeStart(pair.key);
      next = pair?.value;
    } else if (isSeq(node)) {
      next = node.items[Number(part)];
      if (next !== undefined) offset = rangeStart(next);
    }
    if (next === undefined) break;
    node = next;
  }
  return offset;
}

const rangeStart = (node: unknown): number => (node as { range?: [number, number, number] } | null)?.range?.[0] ?? 0;

/** One line for each finding, as editors and pipelines read them, with what to do below. */
export function findingText({ severity, file, line, object, code, path, message }: Finding): string {
  const what = [object, path, message].filter((part) => part !== '').join(' ');
  return `${file}:${line}: ${severity.toLowerCase()}: ${withoutControls(what)} (${code})\n    ${fixOf(code)}`;
}

const fixOf = (code: Code): string => codes[code].fix;
