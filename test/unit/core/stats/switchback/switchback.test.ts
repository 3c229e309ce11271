import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/base/random.ts';
import { normalQuantile } from '../../../../../src/core/stats/special/normal.ts';
import { assignmentOf, coinBlocks, drawAssignment } from '../../../../../src/core/stats/switchback/design.ts';
import { horvitzThompson } from '../../../../../src/core/stats/switchback/horvitz-thompson.ts';
import {
  allChoices,
  allCoins,
  randomisationTest,
} from '../../../../../src/core/stats/switchback/randomisation-test.ts';
import { windowEffect } from '../../../../../src/core/stats/switchback/window-effect.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const design = { blocks: 8, carryOver: 2 };
const assignment = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0].map(Boolean);
const outcomes = [12, 13, 14, 15, 9, 8, 10, 9, 14, 13, 15, 16, 9, 10, 8, 9];

test('W1: the inverse-probability effect and its variance bound', () => {
  const effect = horvitzThompson(design, { outcomes, assignment }, 0);
  expectAbsolute(effect.estimate, 5.1428571429, 1e-9);
  expectAbsolute(effect.variance, 383.0204081633, 1e-9);
  expect(coinBlocks(design).map((block) => block * design.carryOver)).toEqual([0, 4, 6, 8, 10, 12]);
});

test('W2: the exact randomisation test', () => {
  const values = [10, 14, 11, 15, 9, 16, 12, 13];
  const treated = [0, 1, 0, 1, 0, 1, 1, 0].map(Boolean);
  const result = randomisationTest(values, treated, { kind: 'All', assignments: allChoices(8, 4) });
  expectAbsolute(result.estimate, 3.5, 1e-12);
  expectAbsolute(result.standardError, 1.2076147288, 1e-9);
  expectAbsolute(result.pValue, 4 / 70, 1e-9);
  expect([result.assignments, result.isExact]).toEqual([70, true]);
});

test('over all assignments the effect is unbiased and the variance bound is conservative', () => {
  const random = seededRandom(3);
  const base = Array.from({ length: 16 }, () => normalQuantile(random()));
  const estimates: number[] = [];
  let bound = 0;
  for (const coins of allCoins(6)) {
    const drawn = assignmentOf(design, coins);
    const effect = horvitzThompson(
      design,
      { outcomes: base.map((value, t) => 20 + value + (drawn[t] ? 1 : 0)), assignment: drawn },
      0,
    );
    estimates.push(effect.estimate);
    bound += effect.variance / 64;
  }
  const mean = estimates.reduce((sum, value) => sum + value, 0) / 64;
  const variance = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 64;
  expectAbsolute(mean, 1, 1e-9);
  expect(bound / variance).toBeGreaterThan(1.4);
  expect(bound / variance).toBeLessThan(1.8);
});

test('without centring the level of the outcomes becomes variance (trap 21)', () => {
  const raw = horvitzThompson(design, { outcomes, assignment }, 0);
  const centred = horvitzThompson(design, { outcomes, assignment }, 11.5);
  expect(Math.sqrt(raw.variance / centred.variance)).toBeGreaterThan(4);
  const shifted = horvitzThompson(
    design,
    { outcomes: outcomes.map((y) => y + 100), assignment },
    outcomes.map(() => 111.5),
  );
  expectRelative(shifted.estimate, centred.estimate, 1e-12);
});

test('a drawn assignment keeps to its design', () => {
  const random = seededRandom(1);
  const drawn = drawAssignment({ blocks: 6, carryOver: 3 }, random);
  expect(drawn.length).toBe(18);
  expect(new Set(drawn.slice(0, 6)).size).toBe(1);
  expect(new Set(drawn.slice(12)).size).toBe(1);
});

test('a randomisation test by draws of the actual design is close to the exact one and never 0', () => {
  const random = seededRandom(9);
  const exact = randomisationTest(outcomes, assignment, {
    kind: 'All',
    assignments: Array.from(allCoins(6), (coins) => assignmentOf(design, coins)),
  });
  const drawn = randomisationTest(outcomes, assignment, {
    kind: 'Drawn',
    draw: (source) => drawAssignment(design, source),
    draws: 2000,
    random,
  });
  expectAbsolute(drawn.pValue, exact.pValue, 0.03);
  expect(drawn.pValue).toBeGreaterThan(0);
  expect(drawn.isExact).toBe(false);
});

test('windows: least squares with cluster and season effects equals the design that it was made from', () => {
  const random = seededRandom(4);
  const windows = ['north', 'south', 'east', 'west', 'centre'].flatMap((cluster, c) =>
    Array.from({ length: 20 }, (_, t) => {
      const treated = random() < 0.5;
      return { cluster, season: `h${t % 5}`, treated, value: 10 * c + 3 * (t % 5) + (treated ? 2 : 0) };
    }),
  );
  const noisy = windows.map((window) => ({ ...window, value: window.value + 0.1 * normalQuantile(random()) }));
  const effect = windowEffect(noisy, { alpha: 0.05 });
  expectAbsolute(effect.estimate, 2, 0.1);
  expect(effect.df).toBe(4);
  expect(effect.standardError).toBeLessThan(0.05);
  // statsmodels 0.15: OLS with dummies, cov_type="cluster" without the (N − 1)/(N − K) factor, on the rows below
  const rows = [
    ['a', 'x', true, 5],
    ['a', 'y', false, 4],
    ['a', 'x', false, 3.5],
    ['b', 'x', false, 8],
    ['b', 'y', true, 9.5],
    ['b', 'y', false, 8.2],
    ['c', 'x', true, 2],
    ['c', 'y', false, 0.4],
    ['c', 'y', true, 2.4],
  ] as const;
  const small = windowEffect(
    rows.map(([cluster, season, treated, value]) => ({ cluster, season, treated, value })),
    { alpha: 0.05 },
  );
  expectRelative(small.estimate, 1.5257142857142845, 1e-9);
  expectRelative(small.standardError, 0.2053148210921456, 1e-9);
});

const window = { cluster: 'a', season: 'x', treated: true, value: 1 };
test.each([
  [
    'SLUICE_STATS_TOO_FEW',
    'a design that treats nothing',
    () => randomisationTest([1, 2], [true, false], { kind: 'All', assignments: [[false, false]] }),
  ],
  ['SLUICE_STATS_ARGUMENT', 'too many windows to list', () => allChoices(1e12, 3).next()],
  ['SLUICE_STATS_ARGUMENT', 'three blocks', () => coinBlocks({ blocks: 3, carryOver: 1 })],
  ['SLUICE_STATS_ARGUMENT', 'too few coins', () => assignmentOf(design, [true])],
  ['SLUICE_STATS_ARGUMENT', 'missing periods', () => horvitzThompson(design, { outcomes: [1], assignment }, 0)],
  [
    'SLUICE_STATS_ARGUMENT',
    'a NaN outcome',
    () => horvitzThompson(design, { outcomes: outcomes.map(() => Number.NaN), assignment }, 0),
  ],
  [
    'SLUICE_STATS_ARGUMENT',
    'a window without assignment',
    () => randomisationTest([1, 2], [true], { kind: 'All', assignments: [] }),
  ],
  [
    'SLUICE_STATS_TOO_FEW',
    'one arm only',
    () => randomisationTest([1, 2], [true, true], { kind: 'All', assignments: [] }),
  ],
  ['SLUICE_STATS_ARGUMENT', 'more treated than windows', () => allChoices(2, 3).next()],
  ['SLUICE_STATS_ARGUMENT', 'too many coins to list', () => allCoins(21).next()],
  ['SLUICE_STATS_TOO_FEW', 'one cluster', () => windowEffect([window, { ...window, treated: false }], { alpha: 0.05 })],
  [
    'SLUICE_STATS_NO_VARIANCE',
    'clusters that never switch',
    () => windowEffect([window, { ...window, cluster: 'b', treated: false }, window], { alpha: 0.05 }),
  ],
] as const)('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});
