// The client specification of Unleash (Apache-2.0), from its npm package, through our importer and evaluator.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/core/evaluation/answer.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import type { Imported } from '../../../src/importers/imported.ts';
import { importUnleash } from '../../../src/importers/unleash/import.ts';
import type { Feature, Segment, State } from '../../../src/importers/unleash/state.ts';
import { compiledImport } from '../../support/imported-flags.ts';

interface Context {
  readonly currentTime?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}
interface Variant {
  readonly name: string;
  readonly enabled: boolean;
  readonly feature_enabled: boolean;
  readonly payload?: { readonly type: string; readonly value: string };
}
interface Case<Result> {
  readonly description: string;
  readonly context: Context;
  readonly toggleName: string;
  readonly expectedResult: Result;
}
interface Specification {
  readonly name: string;
  readonly state: State & { readonly events?: readonly Event[] };
  readonly tests?: readonly Case<boolean>[];
  readonly variantTests?: readonly Case<Variant>[];
}
interface Event {
  readonly type: string;
  readonly features?: readonly Feature[];
  readonly segments?: readonly Segment[];
  readonly feature?: Feature;
  readonly segment?: Segment;
  readonly featureName?: string;
}

const folder = join(dirname(createRequire(import.meta.url).resolve('@unleash/client-specification')), 'specifications');
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const specifications: Specification[] = read('index.json').map(read);

/** Unleash's delta API as the state that it leads to; what is imported is a state. */
function stateOf({ state }: Specification): unknown {
  if (!state.events) return state;
  const features = new Map<string, Feature>();
  const segments = new Map<unknown, Segment>();
  for (const event of state.events) {
    for (const feature of [...(event.features ?? []), ...(event.feature ? [event.feature] : [])])
      features.set(feature.name, feature);
    for (const segment of [...(event.segments ?? []), ...(event.segment ? [event.segment] : [])])
      segments.set(segment.id, segment);
    if (event.type === 'feature-removed') features.delete(event.featureName as string);
  }
  return { features: [...features.values()], segments: [...segments.values()] };
}

/** As an application would pass it to us: flat, numbers as numbers where the importer asks for them, a targeting key. */
function contextOf({ properties, currentTime: _, ...context }: Context, numbers: ReadonlySet<string>) {
  const targetingKey = context.userId ?? context.sessionId;
  const flat = { ...properties, ...context, ...(targetingKey !== undefined && { targetingKey }) };
  const typed = Object.entries(flat).map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]);
  return Object.fromEntries(typed);
}

/** Attributes of which the importer says that this feature wants numbers; Unleash has texts only. */
function numbersOf(specification: Specification, { notes }: Imported, toggleName: string): Set<string> {
  const index = (stateOf(specification) as State).features.findIndex(({ name }) => name === toggleName);
  const own = notes.filter(({ path }) => path.startsWith(`features[${index}].`));
  return new Set(own.flatMap(({ message }) => /^pass (\S+) as a number/.exec(message)?.[1] ?? []));
}

const isOn = (answer: Answer) => answer.kind === 'Served' && answer.variant !== 'off' && answer.variant !== 'disabled';

describe.each(specifications)('$name of the Unleash client specification', (specification) => {
  const imported = importUnleash(stateOf(specification));
  const compiled = compiledImport(imported);
  const ask = ({ toggleName, context }: Case<unknown>) => {
    const nowMs = context.currentTime === undefined ? Date.now() : Date.parse(context.currentTime);
    return evaluate(compiled, toggleName, contextOf(context, numbersOf(specification, imported, toggleName)), nowMs);
  };

  test('is imported whole', () => {
    expect(imported.refused).toEqual([]);
  });

  test.each(specification.tests ?? [])('$description', (one) => {
    expect(isOn(ask(one))).toBe(one.expectedResult);
  });

  test.each(specification.variantTests ?? [])('$description', (one) => {
    const { name, enabled, feature_enabled, payload } = one.expectedResult;
    const answer = ask(one);
    expect(isOn(answer)).toBe(feature_enabled);
    if (answer.kind !== 'Served') return expect(enabled).toBe(false);
    // Unleash says `disabled` for being on without a variant, too.
    if (!enabled) return expect(answer.variant).toMatch(feature_enabled ? /^(enabled|on)$/ : /^(disabled|off)$/);
    expect(answer.variant).toBe(name);
    if (payload) expect(String(answer.value)).toBe(payload.value);
  });
});
