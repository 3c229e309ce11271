import { expect, test } from 'vitest';
import { classicalBounds, evenLooks } from '../../../../../src/core/stats/group-sequential/classical.ts';
import {
  anyCrossing,
  crossingProbabilities,
  driftForPower,
  symmetricLooks,
  upperCrossing,
} from '../../../../../src/core/stats/group-sequential/crossing.ts';
import { conditionalPower, futilityBounds } from '../../../../../src/core/stats/group-sequential/futility.ts';
import { addLook, groupBounds, startGroupSequence } from '../../../../../src/core/stats/group-sequential/lan-demets.ts';
import { spentAlpha } from '../../../../../src/core/stats/group-sequential/spending.ts';
import { normalCdf, normalQuantileSf } from '../../../../../src/core/stats/special/normal.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const plan = { alpha: 0.05, spending: { kind: 'OBrienFleming' } } as const;

test('one look is the fixed test', () => {
  expectAbsolute(groupBounds(plan, [1])[0]?.bound as number, normalQuantileSf(0.025), 1e-8);
  const crossing = crossingProbabilities(symmetricLooks([1], [1.96]), 0.5)[0];
  expectAbsolute(crossing?.upper as number, normalCdf(0.5 - 1.96), 1e-12);
  expectAbsolute(crossing?.lower as number, normalCdf(-0.5 - 1.96), 1e-12);
});

test('bounds at unplanned times still spend exactly alpha', () => {
  const looks = groupBounds(plan, [0.13, 0.5, 0.51, 0.97, 1.2]);
  const fractions = looks.map(({ t }) => t);
  const bounds = looks.map(({ bound }) => bound);
  expectAbsolute(anyCrossing(symmetricLooks(fractions, bounds), 0), 0.05, 1e-6);
  expect(looks.map(({ nominalAlpha }) => nominalAlpha).every((p) => p < 0.05)).toBe(true);
});

test('a look that has nothing to spend has bound 8, and one at the same moment shares its bound', () => {
  const looks = groupBounds(plan, [0.01, 0.5, 0.500001]);
  expect(looks[0]).toMatchObject({ bound: 8, spent: 0 });
  expect(looks[2]?.bound).toBe(looks[1]?.bound);
});

test('looks that each come just after the last still get their bounds, once they are together far enough', () => {
  const fractions = Array.from({ length: 401 }, (_, index) => 0.5 + index * 9e-6);
  const looks = groupBounds(plan, fractions);
  const [first, last] = [looks[0]?.spent as number, looks.at(-1)?.spent as number];
  expectAbsolute(last - first, spentAlpha(plan.spending, 0.5036, 0.05) - spentAlpha(plan.spending, 0.5, 0.05), 1e-6);
  expect(looks[1]?.bound).toBe(looks[0]?.bound);
});

test('adding looks one at a time equals computing all at once', () => {
  let sequence = startGroupSequence(plan);
  for (const t of [0.3, 0.6, 1]) sequence = addLook(sequence, t);
  expect(sequence.looks).toEqual(groupBounds(plan, [0.3, 0.6, 1]));
});

test('information beyond the plan spends nothing more', () => {
  expect(spentAlpha({ kind: 'Pocock' }, 1.4, 0.05)).toBe(0.05);
  expect(spentAlpha({ kind: 'Pocock' }, 0, 0.05)).toBe(0);
});

test('futility bounds cost the power that they were given and never the false positive rate', () => {
  const looks = groupBounds(plan, evenLooks(4));
  const upper = symmetricLooks(
    looks.map(({ t }) => t),
    looks.map(({ bound }) => bound),
  );
  const drift = driftForPower(upper, 0.85);
  const lowers = futilityBounds(looks, { drift, beta: 0.2, spending: { kind: 'Pocock' } });
  expect([...lowers]).toEqual([...lowers].sort((a, b) => a - b));
  const both = upper.map((look, i) => ({ ...look, lower: lowers[i] as number }));
  const lost = crossingProbabilities(both, drift).reduce((sum, { lower }) => sum + lower, 0);
  expect(lost).toBeLessThanOrEqual(0.2 + 1e-9);
  expect(upperCrossing(both, drift)).toBeGreaterThan(0.75);
  expect(upperCrossing(both, 0)).toBeLessThan(0.025);
  expect(lowers.every((lower, i) => lower <= (looks[i]?.bound as number))).toBe(true);
});

test('conditional power at no information is the power, and a lost trend has little', () => {
  const drift = 2.8015852;
  expectAbsolute(conditionalPower({ z: 0, t: 1e-12 }, drift, plan), 0.8, 1e-6);
  expect(conditionalPower({ z: 0, t: 0.8 }, 0, plan)).toBeLessThan(0.0001);
  expect(conditionalPower({ z: 3, t: 0.8 }, 3 / Math.sqrt(0.8), plan)).toBeGreaterThan(0.99);
});

test.each([
  ['no looks', () => classicalBounds(0, 0.05, 0)],
  ['half a look', () => evenLooks(1.5)],
  ['alpha 1', () => startGroupSequence({ ...plan, alpha: 1 })],
  ['information 0', () => groupBounds(plan, [0])],
  ['information that shrinks', () => groupBounds(plan, [0.5, 0.4])],
  ['NaN information', () => groupBounds(plan, [Number.NaN])],
  ['an exponent of 0', () => spentAlpha({ kind: 'Power', exponent: 0 }, 0.5, 0.05)],
  ['a look without a bound', () => symmetricLooks([0.5, 1], [2])],
  ['bounds that cross', () => crossingProbabilities([{ t: 1, upper: -1, lower: 1 }])],
  ['an infinite drift', () => crossingProbabilities([{ t: 1, upper: 1, lower: -1 }], Infinity)],
  [
    'futility at the same moment',
    () =>
      futilityBounds(
        [
          { t: 0.5, bound: 3 },
          { t: 0.5, bound: 3 },
        ],
        { drift: 3, beta: 0.2, spending: { kind: 'Pocock' } },
      ),
  ],
  ['conditional power at the end', () => conditionalPower({ z: 1, t: 1 }, 1, plan)],
])('%s is refused', (_what, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT' }));
});
