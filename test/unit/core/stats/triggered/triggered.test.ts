import { expect, test } from 'vitest';
import {
  complementBroken,
  diluteAbsolute,
  diluteRelative,
  triggerRate,
} from '../../../../../src/core/stats/triggered/triggered.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const plan = { alpha: 0.01, plannedSampleSize: 10_000 };

test('a triggered effect is diluted by the share of units that triggered', () => {
  const effect = { estimate: 0.5, standardError: 0.1, triggeredUnits: 2_000, allUnits: 10_000 };
  const diluted = diluteAbsolute(effect);
  expectAbsolute(diluted.estimate, 0.1, 1e-15);
  expectAbsolute(diluted.standardError, 0.02, 1e-15);
});

test('a relative effect is diluted through the means: heavy users trigger more', () => {
  expectAbsolute(diluteRelative(0.1, 0.2, 5, 1), 0.1, 1e-15);
  expectAbsolute(diluteRelative(0.1, 0.2, 1, 1), 0.02, 1e-15);
});

test('an effect on units that did not trigger breaks the trigger', () => {
  expect(complementBroken({ estimate: 0.01, standardError: 0.01, n: 10_000 }, plan).broken).toBe(false);
  expect(complementBroken({ estimate: 0.06, standardError: 0.01, n: 10_000 }, plan).broken).toBe(true);
});

test('no units and more triggered than all are refused', () => {
  expect(() => triggerRate(0, 0)).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => triggerRate(2, 1)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => diluteRelative(0.1, 0.2, 5, 0)).toThrow('SLUICE_STATS_ARGUMENT');
});
