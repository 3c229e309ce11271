import { expect, test } from 'vitest';
import { chanceToBeBest, topTwoChances } from '../../../../../src/core/stats/bandit/best-arm.ts';
import { epochWeightedArms } from '../../../../../src/core/stats/bandit/epochs.ts';
import { nextWeights, withFloor } from '../../../../../src/core/stats/bandit/weights.ts';
import { normalCdf } from '../../../../../src/core/stats/special/normal.ts';
import { expectAbsolute } from '../../../../support/close.ts';

test('B6: the additive floor', () => {
  const floored = withFloor([0.9, 0.07, 0.02, 0.01], 0.01);
  for (const [i, wanted] of [0.874, 0.0772, 0.0292, 0.0196].entries())
    expectAbsolute(floored[i] as number, wanted, 1e-12);
  expect(withFloor([0.9, 0.1], 0.6)).toEqual([0.5, 0.5]);
});

test('two arms: the chance to be best is the normal tail of their difference', () => {
  const arms = [
    { mean: 0.1, standardDeviation: 0.3 },
    { mean: 0, standardDeviation: 0.4 },
  ];
  const [first, second] = chanceToBeBest(arms);
  expectAbsolute(first as number, normalCdf(0.2), 1e-12);
  expectAbsolute((first as number) + (second as number), 1, 1e-15);
  expect(topTwoChances(arms)).toEqual([0.5, 0.5]);
});

test('lowest wins mirrors highest wins', () => {
  const arms = [
    { mean: 1, standardDeviation: 1 },
    { mean: 2, standardDeviation: 0.5 },
    { mean: 3, standardDeviation: 2 },
  ];
  const mirrored = arms.map(({ mean, standardDeviation }) => ({ mean: -mean, standardDeviation }));
  expect(chanceToBeBest(arms, 'Lowest')).toEqual(chanceToBeBest(mirrored));
  expect(topTwoChances(arms, 'Lowest')).toEqual(topTwoChances(mirrored));
});

test('equal arms share alike, and a hopeless arm gets nothing but the floor', () => {
  const equal = { mean: 5, standardDeviation: 2 };
  for (const chance of chanceToBeBest([equal, equal, equal, equal])) expectAbsolute(chance, 0.25, 1e-12);
  const chances = chanceToBeBest([equal, { mean: -500, standardDeviation: 0.01 }, equal]);
  expect(chances[1]).toBe(0);
  expectAbsolute(chances[0] as number, 0.5, 1e-9);
  const topTwo = topTwoChances([equal, equal, equal]);
  for (const chance of topTwo) expectAbsolute(chance, 1 / 3, 1e-12);
});

test('weights stay even until each arm has its units, then follow the posterior above the floor', () => {
  const arm = { n: 1000, mean: 1, variance: 1 };
  expect(nextWeights([arm, { ...arm, n: 99 }])).toEqual({ weights: [0.5, 0.5], reason: 'WarmUp' });
  expect(nextWeights([arm, { ...arm, variance: 0 }]).reason).toBe('WarmUp');
  const { weights, reason } = nextWeights([arm, { ...arm, mean: 2 }], { floor: 0.05 });
  expect(reason).toBe('Posterior');
  expectAbsolute(weights[0] as number, 0.05, 1e-9);
  expect(nextWeights([arm, { ...arm, mean: 2 }], { direction: 'Lowest' }).weights[0]).toBeGreaterThan(0.9);
  expect(nextWeights([arm, { ...arm, mean: 2 }], { method: 'TopTwo' }).weights).toEqual([0.5, 0.5]);
});

test('pooled means invent an effect when weights and level change together; epoch weights do not (trap 17)', () => {
  // The level doubles from the first epoch to the second, and the second gives arm B nine tenths. No arm is better.
  const arm = (n: number, mean: number) => ({ n, mean, variance: 0.01 });
  const epochs = [
    [arm(500, 1), arm(500, 1)],
    [arm(100, 2), arm(900, 2)],
  ];
  const pooled = (i: number) =>
    epochs.reduce((sum, epoch) => sum + (epoch[i]?.n as number) * (epoch[i]?.mean as number), 0) /
    epochs.reduce((sum, epoch) => sum + (epoch[i]?.n as number), 0);
  expect(pooled(1) - pooled(0)).toBeGreaterThan(0.4);
  const [a, b] = epochWeightedArms(epochs);
  expectAbsolute((b?.mean as number) - (a?.mean as number), 0, 1e-12);
  expect([a?.n, b?.n]).toEqual([600, 1400]);
  expectAbsolute(a?.standardError as number, Math.sqrt(0.25 * (0.01 / 500 + 0.01 / 100)), 1e-12);
});

test.each([
  ['SLUICE_STATS_TOO_FEW', 'one arm', () => chanceToBeBest([{ mean: 0, standardDeviation: 1 }])],
  ['SLUICE_STATS_TOO_FEW', 'one arm to weigh', () => nextWeights([{ n: 1000, mean: 0, variance: 1 }])],
  [
    'SLUICE_STATS_ARGUMENT',
    'a posterior without width',
    () =>
      chanceToBeBest([
        { mean: 0, standardDeviation: 0 },
        { mean: 0, standardDeviation: 1 },
      ]),
  ],
  ['SLUICE_STATS_ARGUMENT', 'weights that do not add to 1', () => withFloor([0.5, 0.4], 0.01)],
  ['SLUICE_STATS_ARGUMENT', 'a negative weight', () => withFloor([1.5, -0.5], 0.01)],
  ['SLUICE_STATS_ARGUMENT', 'a floor above 1', () => withFloor([0.5, 0.5], 2)],
  ['SLUICE_STATS_TOO_FEW', 'no epochs', () => epochWeightedArms([])],
  [
    'SLUICE_STATS_TOO_FEW',
    'an arm that an epoch left out',
    () =>
      epochWeightedArms([
        [
          { n: 5, mean: 1, variance: 1 },
          { n: 0, mean: 0, variance: 0 },
        ],
      ]),
  ],
  [
    'SLUICE_STATS_ARGUMENT',
    'epochs of different arms',
    () => epochWeightedArms([[{ n: 5, mean: 1, variance: 1 }], []]),
  ],
] as const)('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});
