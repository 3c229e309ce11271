import { expect, test } from 'vitest';
import { detectableDifference, powerForMeans, unitsForMeans } from '../../../../../src/core/stats/power/means.ts';
import { powerForProportions, unitsForProportions } from '../../../../../src/core/stats/power/proportions.ts';
import { powerForLift } from '../../../../../src/core/stats/power/relative-power.ts';
import { powerForTTest, unitsForTTest } from '../../../../../src/core/stats/power/t-test-power.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const plan = { alpha: 0.05, power: 0.8 };

test('P1: R power.t.test', () => {
  const effect = { delta: 1, standardDeviation: 1 };
  expectAbsolute(powerForTTest(effect, 20, plan), 0.8689528, 1e-6);
  expectAbsolute(unitsForTTest(effect, { alpha: 0.05, power: 0.9 }), 22.0211, 1e-5);
});

test('P2: R power.prop.test', () => {
  const design = { control: 0.5, treatment: 0.75, nullVariance: 'Pooled' } as const;
  expectAbsolute(powerForProportions(design, 50, plan), 0.7401659, 1e-6);
  expectAbsolute(unitsForProportions(design, { alpha: 0.05, power: 0.9 }).control, 76.70693, 1e-5);
});

test('P3: a conversion calculator with the baseline variance', () => {
  const design = { control: 0.2, treatment: 0.25, nullVariance: 'Baseline' } as const;
  expectAbsolute(unitsForProportions(design, plan).control, 1030.2193, 0.001);
});

test('P4: power for a relative lift', () => {
  expectAbsolute(powerForLift({ mean: 10, variance: 3909.99977 }, 0.05, 400_000 / 3, plan), 0.52144, 1e-5);
});

test('P5: an even and a 10 % split', () => {
  const design = { control: 0.1, treatment: 0.105, nullVariance: 'Unpooled' } as const;
  expectAbsolute(unitsForProportions(design, plan).total, 115_519.81, 0.01);
  expectAbsolute(unitsForProportions({ ...design, treatmentPerControl: 1 / 9 }, plan).total, 326_434.91, 0.01);
});

test('P6: means, and CUPED with a correlation of 0.6', () => {
  const design = { varianceControl: 2500, varianceTreatment: 2500 };
  const units = unitsForMeans(design, 0.1, plan);
  expectAbsolute(units.control, 3_924_439.867, 0.5);
  expectAbsolute(unitsForMeans({ ...design, covariateCorrelation: 0.6 }, 0.1, plan).control, 2_511_641.515, 0.5);
  expectAbsolute(powerForMeans(design, 0.1, units.control, plan), 0.8, 1e-6);
  expectRelative(detectableDifference(design, units.control, plan), 0.1, 1e-12);
  expect(units.total).toBe(2 * units.control);
});
