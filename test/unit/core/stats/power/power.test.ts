import { expect, test } from 'vitest';
import {
  powerForMeans,
  splitInflation,
  unitsForMeans,
  varianceForOneControlUnit,
} from '../../../../../src/core/stats/power/means.ts';
import { detectableScore, powerOfScore, sharedPlan } from '../../../../../src/core/stats/power/power-plan.ts';
import { unitsForProportions } from '../../../../../src/core/stats/power/proportions.ts';
import { detectableLift, powerForLift } from '../../../../../src/core/stats/power/relative-power.ts';
import { daysUntil } from '../../../../../src/core/stats/power/runtime.ts';
import {
  progressOf,
  sequentialCriticalValue,
  sequentialPower,
  unitsForSequentialMeans,
  unitsNeeded,
} from '../../../../../src/core/stats/power/sequential-power.ts';
import { powerForTTest, unitsForTTest } from '../../../../../src/core/stats/power/t-test-power.ts';
import { noncentralTSf } from '../../../../../src/core/stats/special/noncentral-t.ts';
import { tSf } from '../../../../../src/core/stats/special/student-t.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const plan = { alpha: 0.05, power: 0.8 };
const design = { varianceControl: 4, varianceTreatment: 9 };

test('the noncentral t is the central one at 0 and agrees with scipy', () => {
  for (const df of [1.5, 7, 300]) expectAbsolute(noncentralTSf(1.3, df, 0), tSf(1.3, df), 1e-11);
  expectAbsolute(noncentralTSf(2, 5, 1.5), 0.36855075274432825, 1e-10);
  expectAbsolute(noncentralTSf(-3, 2, -4), 0.21121489158489212, 1e-10);
});

test('the cost of an always-valid interval is that of the specification', () => {
  const cost = (n: number) => sequentialCriticalValue(n, 1, 0.05) / 1.959963984540054;
  for (const [n, wanted] of [
    [1 / 50, 3.42],
    [1 / 5, 1.72],
    [1, 1.55],
    [2, 1.56],
    [20, 1.7],
  ] as const) {
    expectAbsolute(cost(n), wanted, 0.006);
  }
});

test('units, power and detectable effects agree with each other', () => {
  const units = unitsForMeans({ ...design, treatmentPerControl: 0.5 }, 0.2, plan);
  expectAbsolute(powerForMeans({ ...design, treatmentPerControl: 0.5 }, 0.2, units.control, plan), 0.8, 1e-6);
  expectAbsolute(units.treatment, units.control / 2, 1e-9);
  const lift = detectableLift({ mean: 10, variance: 400 }, 5000, plan);
  expectAbsolute(powerForLift({ mean: 10, variance: 400 }, lift, 5000, plan), 0.8, 1e-4);
  const n = unitsForTTest({ delta: 0.1, standardDeviation: 1 }, plan);
  expectRelative(n, unitsForMeans({ varianceControl: 1, varianceTreatment: 1 }, 0.1, plan).control, 2e-3);
  const sequential = unitsForSequentialMeans(design, 0.2, plan);
  const score = 0.2 / Math.sqrt(varianceForOneControlUnit(design) / sequential.control);
  expectAbsolute(sequentialPower(score, sequential.total, sequential.total, 0.05), 0.8, 1e-9);
  const fixed = unitsForMeans(design, 0.2, plan);
  expect(sequential.total / fixed.total).toBeGreaterThan(1.5);
});

test('non-inferiority proves an effect of 0 with the units that would find the margin', () => {
  const oneSided = { ...plan, sides: 'OneSided' } as const;
  expect(unitsForMeans(design, 0, oneSided, 0.2)).toEqual(unitsForMeans(design, 0.2, oneSided));
  expect(unitsForMeans(design, -0.05, oneSided, 0.2).total).toBeGreaterThan(
    unitsForMeans(design, 0, oneSided, 0.2).total,
  );
  expectAbsolute(powerForMeans(design, -0.2, 1000, oneSided, 0.2), 0.05, 1e-12);
});

test('the power of no effect is alpha', () => {
  expectAbsolute(powerOfScore(0, plan), 0.05, 1e-12);
  expectAbsolute(powerOfScore(0, { ...plan, sides: 'OneSided' }), 0.05, 1e-12);
});

test('a 10 % arm costs 2.8 times the traffic of an even split', () => {
  expectRelative(splitInflation(0.1), 1 / 0.36, 1e-12);
  const even = unitsForMeans({ varianceControl: 1, varianceTreatment: 1 }, 0.1, plan);
  const skew = unitsForMeans({ varianceControl: 1, varianceTreatment: 1, treatmentPerControl: 1 / 9 }, 0.1, plan);
  expectRelative(skew.total / even.total, splitInflation(0.1), 1e-12);
});

test('several goals share alpha and power', () => {
  const shared = sharedPlan(plan, 2, 3);
  expectRelative(shared.alpha, 0.05 / 3, 1e-15);
  expectRelative(shared.power ** 2, 0.8, 1e-15);
});

test('a running experiment knows how far it is', () => {
  const total = unitsForMeans(design, 0.2, plan).total;
  const now = { standardError: Math.sqrt(varianceForOneControlUnit(design) / (total / 8)), n: total / 4 };
  expectRelative(unitsNeeded(now, 0.2, plan), total, 1e-9);
  expectRelative(progressOf(now, 0.2, plan), 0.25, 1e-9);
  const sequential = unitsForSequentialMeans(design, 0.2, plan).total;
  expectRelative(unitsNeeded(now, 0.2, plan, sequential), sequential, 1e-9);
  expect(unitsNeeded(now, 0.2, plan, 50 * sequential)).toBeGreaterThan(sequential);
  expect(progressOf({ ...now, standardError: 1e-6 }, 0.2, plan)).toBe(1);
});

test('the runtime follows the curve of distinct units, and is longer than the line', () => {
  expect(daysUntil([100, 200, 300], 250)).toBe(2.5);
  expectRelative(daysUntil([100, 200, 300], 600), 6, 1e-12);
  const bending = [100, 150, 185, 210];
  expect(daysUntil(bending, 420)).toBeGreaterThan(12);
  expect(daysUntil([100, 100], 101)).toBe(Infinity);
  expect(daysUntil([100], 300)).toBe(3);
  expect(daysUntil([100, 100, 200], 100)).toBe(1);
});

test.each([
  ['SLUICE_STATS_ARGUMENT', 'an effect of 0', () => unitsForMeans(design, 0, plan)],
  [
    'SLUICE_STATS_ARGUMENT',
    'equal proportions',
    () => unitsForProportions({ control: 0.1, treatment: 0.1, nullVariance: 'Pooled' }, plan),
  ],
  [
    'SLUICE_STATS_ARGUMENT',
    'a proportion of 1',
    () => unitsForProportions({ control: 1, treatment: 0.1, nullVariance: 'Pooled' }, plan),
  ],
  ['SLUICE_STATS_ARGUMENT', 'a correlation of 1', () => unitsForMeans({ ...design, covariateCorrelation: 1 }, 1, plan)],
  [
    'SLUICE_STATS_NO_VARIANCE',
    'no variance',
    () => unitsForMeans({ varianceControl: 0, varianceTreatment: 0 }, 1, plan),
  ],
  ['SLUICE_STATS_ARGUMENT', 'alpha 0', () => unitsForMeans(design, 1, { ...plan, alpha: 0 })],
  ['SLUICE_STATS_ARGUMENT', 'power 1', () => unitsForMeans(design, 1, { ...plan, power: 1 })],
  ['SLUICE_STATS_ARGUMENT', 'a power that chance has', () => detectableScore({ alpha: 0.5, power: 0.01 })],
  ['SLUICE_STATS_ARGUMENT', 'a negative power', () => sharedPlan({ ...plan, power: -1 }, 2, 1)],
  ['SLUICE_STATS_ARGUMENT', 'no goals', () => sharedPlan(plan, 0, 1)],
  ['SLUICE_STATS_ARGUMENT', 'no split', () => splitInflation(0)],
  ['SLUICE_STATS_BASELINE', 'a lift on 0', () => detectableLift({ mean: 0, variance: 1 }, 10, plan)],
  ['SLUICE_STATS_TOO_FEW', 'a lift that is never found', () => detectableLift({ mean: 1, variance: 100 }, 10, plan)],
  ['SLUICE_STATS_TOO_FEW', 'a t test of one unit', () => powerForTTest({ delta: 1, standardDeviation: 1 }, 1, plan)],
  ['SLUICE_STATS_ARGUMENT', 'a standard error of 0', () => unitsNeeded({ standardError: 0, n: 10 }, 1, plan)],
  ['SLUICE_STATS_TOO_FEW', 'a runtime without a day', () => daysUntil([], 10)],
  ['SLUICE_STATS_ARGUMENT', 'a shrinking curve', () => daysUntil([10, 5], 20)],
] as const)('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});

test('a huge effect still needs two units an arm', () => {
  expect(unitsForTTest({ delta: 100, standardDeviation: 1 }, plan)).toBe(2);
});

test('absurd noncentralities end, and keep to their limits', () => {
  expectAbsolute(noncentralTSf(1e300, 5, 0), 0, 1e-12);
  expectAbsolute(noncentralTSf(2, 5, 1e6), 1, 1e-9);
  expectAbsolute(noncentralTSf(1e4, 1, 0), tSf(1e4, 1), 1e-9);
});
