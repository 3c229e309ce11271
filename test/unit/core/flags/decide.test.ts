import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../../src/base/units.ts';
import { observedFlag } from '../../../../src/controllers/feature-flag/gather.ts';
import { decideFlags, withSwitchesOnly } from '../../../../src/core/flags/decide.ts';
import type { ObservedFlags, PublishedRuleset } from '../../../../src/core/flags/observed.ts';
import { nextStatus } from '../../../../src/core/flags/status.ts';
import { flagOf } from '../../../../src/core/rollout/sticky.ts';
import type { Flag } from '../../../../src/wire/flag.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import type { Manifest } from '../../../support/manifests.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z') as EpochMs;
const flag = (name: string, spec: Manifest = {}, rest: Manifest = {}) => observedFlag(flagObject(name, spec, rest));
const seen = (flags: ObservedFlags['flags'], published?: PublishedRuleset): ObservedFlags => ({
  namespace: 'shop',
  flags,
  builtIn: {},
  publishedHere: 0,
  published,
  unitHashSalt: 'salt',
});
/** What is published once `flags` were decided. */
function publishedOf(flags: ObservedFlags['flags'], revision = 7): PublishedRuleset {
  const { ruleset } = decideFlags(seen(flags), NOW);
  return { revision, flags: ruleset!.flags };
}

test('nothing is published for a namespace that never had a flag, nor when nothing changed', () => {
  expect(decideFlags(seen([]), NOW).ruleset).toBeUndefined();
  const flags = [flag('a'), flag('b')];
  expect(decideFlags(seen(flags, publishedOf(flags)), NOW)).toMatchObject({ ruleset: undefined, revision: 7 });
});

test('a change is published under the next number, and only its flag counts as changed', () => {
  const published = publishedOf([flag('a'), flag('b')]);
  const { ruleset, flags } = decideFlags(seen([flag('a'), flag('b', { killSwitch: true })], published), NOW);
  expect(ruleset).toMatchObject({ revision: 8, flagSetId: 'shop', unitHashSalt: 'salt' });
  expect([...flags].map(([name, { changed }]) => [name, changed])).toEqual([
    ['a', false],
    ['b', true],
  ]);
});

test('numbers go on from what flags remember when the snapshot is lost, and from a damaged one', () => {
  const remembering = flag('a', {}, { status: { propagation: { desired: 41, acknowledged: 0, total: 0 } } });
  expect(decideFlags(seen([remembering]), NOW).ruleset?.revision).toBe(42);
  expect(decideFlags(seen([], { revision: 50, flags: undefined }), NOW).ruleset?.revision).toBe(51);
});

test('what others may write never takes numbers to where they end', () => {
  const made = flag('a', {}, { status: { propagation: { desired: 2 ** 53 - 1, acknowledged: 0, total: 0 } } });
  expect(decideFlags(seen([made], { revision: 7, flags: undefined }), NOW).ruleset?.revision).toBe(8);
});

test('an older ruleset in the place of what was published here gives way to a new one', () => {
  const flags = [flag('a')];
  const { ruleset } = decideFlags({ ...seen(flags, publishedOf(flags, 30)), publishedHere: 37 }, NOW);
  expect(ruleset?.revision).toBe(38);
  expect(decideFlags({ ...seen(flags, publishedOf(flags, 38)), publishedHere: 38 }, NOW).ruleset).toBeUndefined();
});

test('times in conditions are the boundaries of the ruleset', () => {
  const rules = [{ id: 'r', when: { time: { after: '2026-12-01T08:00:00Z' } }, serve: { variant: 'on' } }];
  expect(decideFlags(seen([flag('a', { rules })]), NOW).ruleset?.timeBoundaries).toEqual(['2026-12-01T08:00:00Z']);
});

test('it looks again when the next release flag expires', () => {
  const flags = [
    flag('past', { expiresAfter: '2026-02-01' }),
    flag('later', { expiresAfter: '2026-05-01' }),
    flag('next', { expiresAfter: '2026-03-01' }),
    flag('forever', { expiresAfter: '2026-03-02', purpose: 'Permission' }),
  ];
  expect(decideFlags(seen(flags), NOW).recheckAt).toBe(Date.parse('2026-03-02T00:00:00Z'));
});

test('a ruleset that is too large gives way to the last one with the kill switches of now, without deleted flags', () => {
  const published = publishedOf([flag('a'), flag('b'), flag('gone')]);
  const now = [flag('a', { killSwitch: true, defaultVariant: 'on' }), flag('b', { enabled: false }), flag('new')];
  const { ruleset } = decideFlags(seen(now, published), NOW);
  const reduced = withSwitchesOnly(published, ruleset!);
  expect(reduced?.revision).toBe(8);
  expect(Object.keys(reduced!.flags)).toEqual(['a', 'b']);
  expect(reduced!.flags.a).toMatchObject({ killSwitch: true, defaultVariant: 'off' });
  expect(reduced!.flags.b).toMatchObject({ killSwitch: false, enabled: false });
  const again = decideFlags(seen(now, { revision: 8, flags: reduced!.flags }), NOW);
  expect(withSwitchesOnly({ revision: 8, flags: reduced!.flags }, again.ruleset!)).toBeUndefined();
});

test('a status settles: decided again from itself, it is the same', () => {
  const one = flag('a');
  const { ruleset, flags } = decideFlags(seen([one]), NOW);
  const status = nextStatus(
    one,
    flags.get('a')!,
    { revision: 1, refused: undefined, reach: undefined, hasPodsWithout: false },
    NOW,
  );
  expect(status.history).toMatchObject([{ revision: 1, accepted: true, at: NOW }]);
  const later = (NOW + 60_000) as EpochMs;
  const again = { ...one, status };
  const decided = decideFlags(seen([again], { revision: 1, flags: ruleset!.flags }), later);
  const publication = { revision: decided.revision, refused: undefined, reach: undefined, hasPodsWithout: false };
  expect(nextStatus(again, decided.flags.get('a')!, publication, later)).toEqual(status);
});

test('a revision does not count as accepted before it was published', () => {
  const one = flag('a');
  const decision = { ...decideFlags(seen([one]), NOW).flags.get('a')! };
  const status = nextStatus(
    one,
    decision,
    { revision: 0, refused: 'too large', reach: undefined, hasPodsWithout: false },
    NOW,
  );
  expect(status.history).toMatchObject([{ accepted: false }]);
  expect(status.conditions.find(({ type }) => type === 'Published')).toMatchObject({
    status: 'False',
    reason: 'Refused',
  });
});

describe('flags of Rollouts', () => {
  const stickiness = { unit: [{ cookie: 'sluice-unit' }] };
  const KEY = 'rollout/shop/web';
  const at = (weightBp: number, hash = 'abc') =>
    flagOf({ namespace: 'shop', name: 'web', flight: { hash, stickiness, weightBp } });
  const withRollout = (weightBp: number, published?: PublishedRuleset, flags: ObservedFlags['flags'] = []) => ({
    ...seen(flags, published),
    builtIn: { [KEY]: at(weightBp) },
  });

  test('make a ruleset of their own, and a new one at each weight', () => {
    const first = decideFlags(withRollout(500), NOW).ruleset;
    expect(first).toMatchObject({ revision: 1, flags: { [KEY]: at(500) } });
    const published = { revision: 1, flags: first!.flags };
    expect(decideFlags(withRollout(500, published), NOW).ruleset).toBeUndefined();
    expect(decideFlags(withRollout(2_500, published), NOW).ruleset?.revision).toBe(2);
    expect(decideFlags(seen([], published), NOW).ruleset?.flags).toEqual({});
  });

  test('never keep a kill switch from going out, and are only taken back where the ruleset is too large', () => {
    const published = { revision: 7, flags: { ...publishedOf([flag('a')]).flags, [KEY]: at(2_500) } };
    const killed = [flag('a', { killSwitch: true })];
    const reduced = (now: Flag) =>
      withSwitchesOnly(published, decideFlags({ ...seen(killed, published), builtIn: { [KEY]: now } }, NOW).ruleset!)!
        .flags;
    expect(reduced(at(5_000))).toMatchObject({ a: { killSwitch: true }, [KEY]: at(2_500) });
    expect(reduced(at(500))[KEY]).toEqual(at(500));
    expect(reduced(at(0))[KEY]).toEqual(at(0));
    // Another revision: whoever was on the former one is on stable.
    expect(reduced(at(500, 'def'))[KEY]?.rules).toEqual([]);
  });
});
