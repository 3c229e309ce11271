import { SluiceError } from '../../src/base/errors.ts';
import { statsError } from '../../src/core/stats/errors.ts';
import { type CatalogEntry, loadEntry } from './catalog.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Evaluation =
  | { readonly result: Json }
  | { readonly error: { readonly code: string; readonly message: string; readonly facts: SluiceError['facts'] } };

/** A generator of numbers, for functions that take one: {"fn": "seededRandom", "args": {"seed": 1}}. */
const randomEntry: CatalogEntry = {
  name: 'seededRandom',
  file: '../../base/random.ts',
  isFunction: true,
  parameters: [{ name: 'seed', type: 'number', isOptional: false }],
  doc: '',
};

/**
 * Evaluates one line {"fn": name, "args": {parameter: value}}. A value may itself be such an object, which is evaluated first;
 * "Infinity" and "-Infinity" stand for numbers in both directions, "NaN" for what every function refuses; a Map is a list of
 * pairs. Never throws.
 */
export async function evaluateLine(line: string, entries: readonly CatalogEntry[]): Promise<Evaluation> {
  try {
    const value = await call(parse(line), [...entries, randomEntry]);
    return { result: encode(value) };
  } catch (error) {
    if (error instanceof SluiceError)
      return { error: { code: error.code, message: error.message, facts: error.facts } };
    return evaluationError(`the arguments do not have the shape that docs/statistics.md gives: ${String(error)}`);
  }
}

function evaluationError(message: string): Evaluation {
  const error = statsError('SLUICE_STATS_ARGUMENT', message);
  return { error: { code: error.code, message: error.message, facts: {} } };
}

interface Call {
  readonly fn: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function isCall(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && 'fn' in value && typeof value.fn === 'string';
}

function parse(line: string): Call {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a line must be JSON');
  }
  if (!isCall(value)) throw statsError('SLUICE_STATS_ARGUMENT', 'a line must be {"fn": "...", "args": {...}}');
  return value;
}

async function call({ fn, args = {} }: Call, entries: readonly CatalogEntry[]): Promise<unknown> {
  const entry = entries.find(({ name }) => name === fn);
  if (!entry) throw statsError('SLUICE_STATS_ARGUMENT', `there is no function ${fn}: docs/statistics.md lists them`);
  const known = entry.parameters.map(({ name }) => name);
  const unknown = Object.keys(args).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw statsError('SLUICE_STATS_ARGUMENT', `${fn} has no argument ${unknown}, but (${known.join(', ')})`);
  }
  const missing = entry.parameters.find(({ name, isOptional }) => !isOptional && !(name in args));
  if (missing) throw statsError('SLUICE_STATS_ARGUMENT', `${fn} needs the argument ${missing.name}: ${missing.type}`);
  const value = await loadEntry(entry);
  if (!entry.isFunction) return value;
  const values = await Promise.all(entry.parameters.map(({ name }) => decode(args[name], entries)));
  return (value as (...values: unknown[]) => unknown)(...values);
}

async function decode(value: unknown, entries: readonly CatalogEntry[]): Promise<unknown> {
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (value === 'NaN') return Number.NaN;
  if (Array.isArray(value)) return Promise.all(value.map((item) => decode(item, entries)));
  if (isCall(value)) return call(value, entries);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = await Promise.all(
    Object.entries(value).map(async ([key, item]) => [key, await decode(item, entries)] as const),
  );
  return Object.fromEntries(pairs);
}

function encode(value: unknown): Json {
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw new SluiceError('SLUICE_INTERNAL', 'a statistic was not a number');
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === undefined || value === null) return null;
  if (typeof value === 'function') return 'function';
  if (Symbol.iterator in Object(value)) return Array.from(value as Iterable<unknown>, encode);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, encode(item)]])),
  );
}
