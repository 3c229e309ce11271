import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEATURES, scenariosOf } from './scenario.ts';

interface TestFlag {
  readonly disabled?: boolean;
  readonly variants: Record<string, unknown>;
  readonly defaultVariant?: string | null;
  readonly contextEvaluator?: string;
}

/** The expressions of test-flags.json (in CEL) as rules. */
const RULES: Record<string, object> = {
  "email == 'ballmer@macrosoft.com' ? 'zero' : ''": {
    id: 'ballmer',
    when: { attr: 'email', op: 'eq', value: 'ballmer@macrosoft.com' },
    serve: { variant: 'zero' },
  },
  "!customer && email == 'ballmer@macrosoft.com' && age > 10 ? 'internal' : ''": {
    id: 'internal',
    when: {
      all: [
        { attr: 'customer', op: 'eq', value: false },
        { attr: 'email', op: 'eq', value: 'ballmer@macrosoft.com' },
        { attr: 'age', op: 'gt', value: 10 },
      ],
    },
    serve: { variant: 'internal' },
  },
};

/** Writes all flags that the scenarios ask for, as FeatureFlags; answers the file, and how to be rid of it. */
export function writeScenarioFlags(): { file: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-scenarios-'));
  const file = join(folder, 'flags.yaml');
  const manifests = [...givenFlags(), contextAware, ...mergedEntries().map(seenFlag)];
  writeFileSync(file, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}

/** Those of test-flags.json; the two without a default variant are none here, and no scenario asks for them. */
function givenFlags(): object[] {
  const given: Record<string, TestFlag> = JSON.parse(
    readFileSync('test/conformance/openfeature/test-flags.json', 'utf8'),
  );
  return Object.entries(given).flatMap(([key, { variants, defaultVariant, disabled, contextEvaluator }]) => {
    if (defaultVariant === null || defaultVariant === undefined) return [];
    const rule = contextEvaluator === undefined ? undefined : RULES[contextEvaluator];
    if (contextEvaluator !== undefined && !rule) throw new Error(`no rule for ${contextEvaluator}`);
    return [manifest(key, { variants, defaultVariant, enabled: !disabled, rules: rule ? [rule] : [] })];
  });
}

const contextAware = manifest('context-aware', {
  variants: { internal: 'INTERNAL', external: 'EXTERNAL' },
  defaultVariant: 'external',
  rules: [
    {
      id: 'internal',
      when: {
        all: [
          { attr: 'fn', op: 'eq', value: 'Sulisław' },
          { attr: 'ln', op: 'eq', value: 'Świętopełk' },
          { attr: 'age', op: 'eq', value: 29 },
          { attr: 'customer', op: 'eq', value: false },
        ],
      },
      serve: { variant: 'internal' },
    },
  ],
});

export interface Entry {
  readonly key: string;
  readonly value: string;
}

const MERGED = /^The merged context contains an entry with key "(.*)" and value "(.*)"$/;

/** Every entry that a scenario may look for in the merged context. */
export function mergedEntries(): Entry[] {
  const texts = new Set(FEATURES.flatMap(scenariosOf).flatMap(({ steps }) => steps.map(({ text }) => text)));
  return [...texts].flatMap((text) => {
    const [, key, value] = MERGED.exec(text) ?? [];
    return key !== undefined && value !== undefined ? [{ key, value }] : [];
  });
}

/** Key of the flag that is true for who has this entry in the context. */
export const seenKey = ({ key, value }: Entry): string => `seen/${key}=${value}`;

function seenFlag(entry: Entry, index: number): object {
  const when = { attr: entry.key, op: 'eq', value: entry.value };
  return manifest(`seen-${index}`, {
    key: seenKey(entry),
    variants: { yes: true, no: false },
    defaultVariant: 'no',
    rules: [{ id: 'seen', when, serve: { variant: 'yes' } }],
  });
}

interface Spec {
  readonly key?: string;
  readonly variants: Record<string, unknown>;
  readonly defaultVariant: string;
  readonly enabled?: boolean;
  readonly rules: readonly object[];
}

function manifest(name: string, spec: Spec): object {
  const [first] = Object.values(spec.variants);
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'FeatureFlag',
    metadata: { name },
    spec: { type: typeof first, offVariant: spec.defaultVariant, ...spec },
  };
}
