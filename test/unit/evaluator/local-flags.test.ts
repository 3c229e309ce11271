import { expect, test } from 'vitest';
import type { EpochMs } from '../../../src/base/units.ts';
import type { FlagManifest } from '../../../src/core/flags/flag-source.ts';
import { LocalFlags } from '../../../src/evaluator/local-flags.ts';

const NOW = Date.parse('2026-11-21T08:00:00Z') as EpochMs;

function manifest(name: string, spec: object = {}, namespace?: string): FlagManifest {
  const object = {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'FeatureFlag',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: { type: 'boolean', variants: { on: true, off: false }, offVariant: 'off', defaultVariant: 'off', ...spec },
  };
  return object;
}

const ramp = { rules: [{ id: 'r', serve: { split: [{ variant: 'on', weight: 1 }], unit: 'targetingKey' } }] };

test('without a namespace anywhere, the flags are those of default, and salts say so', () => {
  const { ruleset } = new LocalFlags(undefined).compile([manifest('a', ramp)], NOW);
  expect(ruleset.flagSetId).toBe('default');
  expect(JSON.stringify(ruleset.flags)).toContain('flag/default/a#r');
});

test('the namespace that the objects name counts, so that users get what they get in the cluster', () => {
  const { ruleset } = new LocalFlags(undefined).compile([manifest('a', ramp, 'shop'), manifest('b')], NOW);
  expect([ruleset.flagSetId, Object.keys(ruleset.flags)]).toEqual(['shop', ['a', 'b']]);
  expect(JSON.stringify(ruleset.flags)).toContain('flag/shop/a#r');
});

test('of several namespaces one must be chosen; the others are left aside', () => {
  const objects = [manifest('a', {}, 'shop'), manifest('b', {}, 'bank')];
  expect(() => new LocalFlags(undefined).compile(objects, NOW)).toThrow(/SLUICE_FLAG_FILE: .*shop, bank.*--namespace/);
  const { ruleset, others } = new LocalFlags('bank').compile(objects, NOW);
  expect([Object.keys(ruleset.flags), others]).toEqual([['b'], 1]);
});

test('each compilation has the next revision', () => {
  const flags = new LocalFlags(undefined);
  expect([1, 2, 3].map(() => flags.compile([manifest('a')], NOW).ruleset.revision)).toEqual([1, 2, 3]);
});

test('a flag that gets invalid keeps its last good form, and takes no other with it', () => {
  const flags = new LocalFlags(undefined);
  const good = flags.compile([manifest('a', ramp), manifest('b')], NOW).ruleset.flags;
  const { ruleset, notAccepted } = flags.compile(
    [manifest('a', { defaultVariant: 'none' }), manifest('b', { defaultVariant: 'on' })],
    NOW,
  );
  expect(ruleset.flags.a).toEqual(good.a);
  expect(ruleset.flags.b?.defaultVariant).toBe('on');
  expect(notAccepted).toEqual([{ name: 'a', why: expect.stringContaining('its last good form is served') }]);
});

test('a kill counts even where the rest of the spec is invalid', () => {
  const flags = new LocalFlags(undefined);
  flags.compile([manifest('a', ramp)], NOW);
  const { ruleset } = flags.compile([manifest('a', { defaultVariant: 'none', killSwitch: true })], NOW);
  expect(ruleset.flags.a?.killSwitch).toBe(true);
});

test('of two objects of one name or key, the first counts', () => {
  const { ruleset, notAccepted } = new LocalFlags(undefined).compile(
    [manifest('z', { key: 'k', defaultVariant: 'on' }), manifest('a', { key: 'k' }), manifest('z')],
    NOW,
  );
  expect(ruleset.flags.k?.defaultVariant).toBe('on');
  expect(notAccepted.map(({ name }) => name)).toEqual(['a', 'z']);
});

test('a status in the file is of some cluster and says nothing', () => {
  const history = [{ revision: 1, spec: JSON.stringify(manifest('a').spec), accepted: true }];
  const object = { ...manifest('a', { defaultVariant: 'none' }), status: { history } };
  expect(new LocalFlags(undefined).compile([object], NOW).ruleset.flags).toEqual({});
});

test('time boundaries of the flags are in the ruleset', () => {
  const at = '2026-12-01T08:00:00Z';
  const rules = [{ id: 'r', when: { time: { after: at } }, serve: { variant: 'on' } }];
  expect(new LocalFlags(undefined).compile([manifest('a', { rules })], NOW).ruleset.timeBoundaries).toEqual([at]);
});
