import fc from 'fast-check';
import { expect, test } from 'vitest';
import { observedFlag } from '../../../../src/controllers/feature-flag/gather.ts';
import { compileFlags, type FlagSource } from '../../../../src/core/flags/compile-flags.ts';
import { canonicalJson } from '../../../../src/wire/canonical-json.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import type { Manifest } from '../../../support/manifests.ts';

const source = (name: string, spec: Manifest = {}, rest: Manifest = {}): FlagSource =>
  observedFlag(flagObject(name, spec, rest)).source;
const needing = (name: string, ...flags: string[]): FlagSource =>
  source(name, { prerequisites: flags.map((flag) => ({ flag, variants: ['on'] })) });
const wrong = { offVariant: 'of' };
/** A status in which `spec` was accepted once. */
const accepted = (spec: Manifest) => {
  const full = (flagObject('x', spec) as Manifest).spec;
  return {
    status: { history: [{ revision: 1, at: '2026-01-01T00:00:00Z', accepted: true, spec: canonicalJson(full) }] },
  };
};
const reasons = (...sources: FlagSource[]) =>
  Object.fromEntries([...compileFlags(sources).verdicts].map(([name, { reason }]) => [name, reason]));

test('a flag that was never right is left out, and takes no other with it', () => {
  const { flags, verdicts } = compileFlags([source('good'), source('bad', wrong)]);
  expect(Object.keys(flags)).toEqual(['good']);
  expect(verdicts.get('bad')).toEqual({
    reason: 'Invalid',
    message: 'spec.offVariant "of" is not one of variants; it is left out of the ruleset',
    form: undefined,
  });
});

test('a flag that is not right any more keeps its last good form', () => {
  const { flags, verdicts } = compileFlags([source('flag', wrong, accepted({ defaultVariant: 'on' }))]);
  expect(flags.flag).toMatchObject({ offVariant: 'off', defaultVariant: 'on', killSwitch: false });
  expect(verdicts.get('flag')?.message).toContain('its last good form is served');
});

test('the kill switch of a spec that is otherwise unusable works on the last good form', () => {
  const broken = source('flag', { ...wrong, killSwitch: true }, accepted({}));
  expect(compileFlags([broken]).flags.flag).toMatchObject({ killSwitch: true, enabled: true });
  const off = source('flag', { ...wrong, enabled: false }, accepted({}));
  expect(compileFlags([off]).flags.flag).toMatchObject({ killSwitch: false, enabled: false });
});

test('of two flags with one key the older wins; with one age, the one whose uid comes first', () => {
  const at = (creationTimestamp: string, uid: string) => ({ metadata: { creationTimestamp, uid } });
  const old = source('old', { key: 'k' }, at('2026-01-01T00:00:00Z', 'b'));
  const young = source('young', { key: 'k', defaultVariant: 'on' }, at('2026-01-02T00:00:00Z', 'a'));
  expect(reasons(young, old)).toEqual({ old: 'Compiled', young: 'KeyTaken' });
  expect(compileFlags([young, old]).flags.k).toMatchObject({ defaultVariant: 'off' });
  const twin = source('twin', { key: 'k' }, at('2026-01-01T00:00:00Z', 'a'));
  expect(reasons(old, twin)).toEqual({ twin: 'Compiled', old: 'KeyTaken' });
});

test('the older keeps the key even while it cannot be used', () => {
  const old = source('old', { key: 'k', ...wrong });
  const young = source('young', { key: 'k' }, { metadata: { creationTimestamp: '2026-01-02T00:00:00Z' } });
  expect(reasons(old, young)).toEqual({ old: 'Invalid', young: 'KeyTaken' });
});

test('a prerequisite that is missing, or lacks the variant, is told; it holds once it is there', () => {
  const dependent = needing('b', 'a');
  expect(reasons(dependent)).toEqual({ b: 'PrerequisiteMissing' });
  expect(reasons(dependent, source('a'))).toEqual({ a: 'Compiled', b: 'Compiled' });
  const without = source('a', { variants: { off: false } });
  expect(reasons(dependent, without)).toEqual({ a: 'Compiled', b: 'PrerequisiteMissing' });
});

test('what is missing goes on along the chain', () => {
  expect(reasons(needing('c', 'b'), needing('b', 'a'))).toEqual({ b: 'PrerequisiteMissing', c: 'PrerequisiteMissing' });
});

test('a long chain on something missing falls in one go, and takes no deep call', () => {
  const chain = Array.from({ length: 20_000 }, (_, index) => needing(`flag-${index}`, `flag-${index + 1}`));
  expect(new Set(Object.values(reasons(...chain)))).toEqual(new Set(['PrerequisiteMissing']));
});

test('a flag that asks too many others through its prerequisites is told so, and those below it are not', () => {
  const leaves = Array.from({ length: 16 }, (_, index) => `leaf-${index}`);
  const middle = Array.from({ length: 16 }, (_, index) => `middle-${index}`);
  const sources = [
    needing('top', ...middle),
    ...middle.map((name) => needing(name, ...leaves)),
    ...leaves.map((name) => source(name)),
  ];
  const { verdicts } = compileFlags(sources);
  expect(verdicts.get('top')).toMatchObject({
    reason: 'TooManyPrerequisites',
    message: 'it asks more than 256 flags through its prerequisites; offVariant is served',
  });
  expect(verdicts.get('middle-0')?.reason).toBe('Compiled');
});

test('a flag whose prerequisite went away stays in the ruleset, where it serves offVariant', () => {
  const spec = { prerequisites: [{ flag: 'gone', variants: ['on'] }] };
  const { flags, verdicts } = compileFlags([source('flag', spec, accepted(spec))]);
  expect(flags.flag).toMatchObject(spec);
  expect(verdicts.get('flag')?.reason).toBe('PrerequisiteMissing');
});

test('flags in a circle are told, stay in the ruleset, and leave others alone', () => {
  const circle = [needing('a', 'b'), needing('b', 'a'), needing('self', 'self'), source('free')];
  expect(reasons(...circle)).toEqual({
    a: 'PrerequisiteCycle',
    b: 'PrerequisiteCycle',
    self: 'PrerequisiteCycle',
    free: 'Compiled',
  });
  expect(Object.keys(compileFlags(circle).flags)).toEqual(['a', 'b', 'free', 'self']);
});

const specs = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  killSwitch: fc.boolean(),
  offVariant: fc.constantFrom('off', 'off', 'off', 'of'),
  prerequisites: fc.uniqueArray(
    fc.record({ flag: fc.constantFrom('a', 'b', 'c', 'd'), variants: fc.constantFrom(['on'], ['off', 'none']) }),
    { maxLength: 2, selector: ({ flag }) => flag },
  ),
});
const resources = fc.array(fc.tuple(specs, fc.integer({ min: 0, max: 2 }), fc.boolean()), { maxLength: 7 });

test('the same resources in any order give the same flags and verdicts', () => {
  const property = fc.property(resources, fc.infiniteStream(fc.nat()), (drawn, numbers) => {
    const sources = drawn.map(([spec, day, wasGood], index) =>
      source(`flag-${index}`, spec, {
        metadata: { creationTimestamp: `2026-01-0${day + 1}T00:00:00Z` },
        ...(wasGood && accepted({ key: spec.key })),
      }),
    );
    const shuffled = sources.map((one) => [numbers.next().value, one] as const).sort(([a], [b]) => a! - b!);
    const one = compileFlags(sources);
    const other = compileFlags(shuffled.map(([, each]) => each));
    expect(JSON.stringify(other.flags)).toBe(JSON.stringify(one.flags));
    expect(new Map([...other.verdicts].sort())).toEqual(new Map([...one.verdicts].sort()));
  });
  fc.assert(property);
});

test('a kill is never lost: whatever else stands there, a flag that was once good and is killed is killed', () => {
  const property = fc.property(resources, (others) => {
    const rest = others.map(([spec], index) =>
      source(`other-${index}`, spec, { metadata: { creationTimestamp: '2026-02-01T00:00:00Z' } }),
    );
    const killed = source('killed', { ...wrong, killSwitch: true }, accepted({}));
    expect(compileFlags([...rest, killed]).flags.killed).toMatchObject({ killSwitch: true });
  });
  fc.assert(property);
});
