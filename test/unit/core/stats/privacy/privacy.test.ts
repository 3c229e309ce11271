import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/base/random.ts';
import { laplaceNoise } from '../../../../../src/core/stats/privacy/laplace.ts';
import {
  geometricNoise,
  geometricVariance,
  releaseCount,
  releaseTotals,
  treeLevels,
} from '../../../../../src/core/stats/privacy/noisy-counts.ts';
import { momentsOf, varianceOf } from '../../../../../src/core/stats/summaries/moments.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

test('D1: the size of Laplace noise', () => {
  const noise = laplaceNoise(1);
  expectAbsolute(noise.standardDeviation, Math.SQRT2, 1e-9);
  expectAbsolute(noise.bound, 2.9957322736, 1e-9);
  expect(laplaceNoise(0.5, 0.05, 3).scale).toBe(6);
});

test('geometric noise has its law: whole numbers, its variance, and ratios of at most exp(ε)', () => {
  const random = seededRandom(2);
  const draws = Array.from({ length: 40_000 }, () => geometricNoise(0.7, random));
  const moments = momentsOf(draws);
  expectAbsolute(moments.mean, 0, 0.05);
  expectRelative(varianceOf(moments), geometricVariance(0.7), 0.05);
  const count = (k: number) => draws.filter((value) => value === k).length;
  for (const k of [0, 1, 2]) expectRelative(count(k) / count(k + 1), Math.exp(0.7), 0.08);
  expect(draws.every(Number.isInteger)).toBe(true);
});

test('small cells are suppressed, others released with noise', () => {
  const random = seededRandom(1);
  expect(releaseCount(9, { epsilon: 1, leastUnits: 10 }, random)).toEqual({ kind: 'Suppressed' });
  const released = releaseCount(1000, { epsilon: 1, leastUnits: 10 }, random);
  if (released.kind !== 'Count') throw new Error('a cell of 1000 must be released');
  expectAbsolute(released.value, 1000, 40);
  expect(released.noiseVariance).toBe(geometricVariance(1));
});

test('running totals stay close with one budget, and a replayed seed releases nothing new', () => {
  const increments = Array.from({ length: 100 }, (_, day) => 50 + day);
  const plan = { epsilon: 1, releases: 100 };
  const totals = releaseTotals(increments, plan, seededRandom(6));
  let exact = 0;
  for (const [i, total] of totals.entries()) {
    exact += increments[i] as number;
    expectAbsolute(total, exact, 120);
  }
  expect(releaseTotals(increments.slice(0, 40), plan, seededRandom(6))).toEqual(totals.slice(0, 40));
  expect([treeLevels(1), treeLevels(7), treeLevels(8)]).toEqual([1, 3, 4]);
});

test('without noise the tree adds up exactly', () => {
  const increments = [3, 1, 4, 1, 5, 9, 2, 6, 5];
  const totals = releaseTotals(increments, { epsilon: 1, releases: 9 }, () => 0);
  expect(totals).toEqual([3, 4, 8, 9, 14, 23, 25, 31, 36]);
});

test.each([
  ['no epsilon', () => laplaceNoise(0)],
  ['an infinite epsilon', () => geometricNoise(Infinity, () => 0.5)],
  ['a negative count', () => releaseCount(-1, { epsilon: 1, leastUnits: 0 }, () => 0.5)],
  ['no releases', () => treeLevels(0)],
  ['more releases than planned', () => releaseTotals([1, 2], { epsilon: 1, releases: 1 }, () => 0.5)],
  ['a fractional increment', () => releaseTotals([1.5], { epsilon: 1, releases: 1 }, () => 0.5)],
])('%s is refused', (_what, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT' }));
});

test('a release is the count and the noise of the stream, from the least number of units on, and never below 0', () => {
  const policy = { epsilon: 1, leastUnits: 10 };
  expect(releaseCount(10, policy, seededRandom(4))).toMatchObject({
    kind: 'Count',
    value: 10 + geometricNoise(1, seededRandom(4)),
  });
  const random = seededRandom(5);
  const released = Array.from({ length: 200 }, () => releaseCount(0, { epsilon: 0.1, leastUnits: 0 }, random));
  expect(released.some((one) => one.kind === 'Count' && one.value === 0)).toBe(true);
  expect(released.every((one) => one.kind === 'Count' && one.value >= 0)).toBe(true);
});

test('Laplace noise of another scale: all three grow with it', () => {
  const noise = laplaceNoise(0.5, 0.05, 3);
  expectAbsolute(noise.standardDeviation, 6 * Math.SQRT2, 1e-12);
  expectAbsolute(noise.bound, 6 * Math.log(20), 1e-12);
});
