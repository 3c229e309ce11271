import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chiSquareSrm } from '../../../../../src/core/stats/srm/chi-square-srm.ts';
import { logDirichletBayesFactor, logSrmEValue } from '../../../../../src/core/stats/srm/multinomial-bayes-factor.ts';
import { lookAtSrm, type PhaseCounts, startSrm } from '../../../../../src/core/stats/srm/srm-process.ts';
import { expectRelative } from '../../../../support/close.ts';

const half = [0.5, 0.5];
const peer = (counts: number[], shares: number[]) =>
  logDirichletBayesFactor(
    counts,
    shares,
    shares.map((share) => 10_000 * share),
  );

test('R1: the published chi-square of 821,588 against 815,482', () => {
  const { statistic, pValue } = chiSquareSrm([821_588, 815_482], half);
  expectRelative(statistic, 22.7743688, 1e-6);
  expect(pValue).toBeCloseTo(1.82e-6, 8);
});

test('R2: a p-value of 3.5e-42 does not underflow to what other tools print', () => {
  const { statistic, pValue } = chiSquareSrm([9_463, 7_681], half);
  expectRelative(statistic, 185.2265516, 1e-6);
  expectRelative(pValue, 3.5021923e-42, 1e-6);
});

test('R3: the sequential Bayes factor with kappa 10,000', () => {
  const first = peer([821_588, 815_482], half);
  const second = peer([9_463, 7_681], half);
  expectRelative(first, 8.7659723, 1e-6);
  expectRelative(Math.exp(-first), 1.559504e-4, 1e-6);
  expectRelative(second, 58.0389801, 1e-6);
  expectRelative(Math.exp(-second), 6.222877e-26, 1e-6);
});

test('R4: counts (2, 1, 7) against (.1, .5, .4), with the running minimum of the peer', () => {
  const shares = [0.1, 0.5, 0.4];
  expect(Math.exp(peer([2, 1, 7], shares))).toBeCloseTo(1.001749612, 9);
});

test('R5: five units under a flat Dirichlet prior', () => {
  const logAlternative = -6.4457198194;
  const logNull = -5.2746008399;
  expect(logDirichletBayesFactor([2, 2, 1], [0.4, 0.4, 0.2], [1, 1, 1])).toBeCloseTo(logAlternative - logNull, 9);
});

test('600 against 400 is found by the averaged kappa and missed by kappa 10,000 alone', () => {
  expect(Math.exp(-peer([600, 400], half))).toBeGreaterThan(0.001);
  expect(Math.exp(-logSrmEValue([600, 400], half))).toBeLessThan(1e-6);
});

test('the e-value has mean 1 in the plan: all assignments of 12 units, one by one', () => {
  const shares = [0.2, 0.3, 0.5];
  let mean = 0;
  for (let a = 0; a <= 12; a++) {
    for (let b = 0; a + b <= 12; b++) {
      const c = 12 - a - b;
      const ways = factorial(12) / (factorial(a) * factorial(b) * factorial(c));
      mean += ways * 0.2 ** a * 0.3 ** b * 0.5 ** c * Math.exp(logSrmEValue([a, b, c], shares));
    }
  }
  expect(mean).toBeCloseTo(1, 12);
});

// Expected values: mpmath with 60 digits.
test.each([
  [[5e11, 5e11], half, -9.2103653769759],
  [[5e11 + 1e6, 5e11 - 1e6], half, -7.2103653969726],
])('1e12 units keep their digits: %j', (counts, shares, expected) => {
  expectRelative(peer(counts, shares), expected, 1e-11);
});

test('units in an arm of share 0 are a mismatch and do not change the degrees of freedom', () => {
  const shares = [0.5, 0.5, 0];
  expect(chiSquareSrm([50, 50, 0], shares)).toEqual({ statistic: 0, degreesOfFreedom: 1, pValue: 1 });
  expect(chiSquareSrm([50, 50, 1], shares).pValue).toBe(0);
  const look = lookAtSrm(startSrm(), { phases: [{ shares, counts: [50, 50, 1] }], dimensions: [], cells: [] });
  expect(look.verdict).toBe('SampleRatioMismatch');
  expect(JSON.parse(JSON.stringify(look.state))).toEqual(look.state);
});

test('no units at all are no evidence', () => {
  expect(chiSquareSrm([0, 0], half).pValue).toBe(1);
  expect(logSrmEValue([0, 0], half)).toBeCloseTo(0, 12);
});

test('two phases with opposite mistakes do not cancel, as their sums would', () => {
  const phases: PhaseCounts[] = [
    { shares: half, counts: [700, 500] },
    { shares: half, counts: [500, 700] },
  ];
  expect(lookAtSrm(startSrm(), { phases, dimensions: [], cells: [] }).verdict).toBe('SampleRatioMismatch');
});

test('the p-value never rises again, whatever comes later', () => {
  const bad = lookAtSrm(startSrm(), { phases: [{ shares: half, counts: [600, 400] }], dimensions: [], cells: [] });
  const good = lookAtSrm(bad.state, { phases: [{ shares: half, counts: [6_000, 6_000] }], dimensions: [], cells: [] });
  expect(good.pValue).toBe(bad.pValue);
  expect(good.logE).toBeLessThan(bad.logE);
});

test('one bad browser is found although the whole fits', () => {
  const whole: PhaseCounts[] = [{ shares: half, counts: [10_050, 9_950] }];
  const cells = [
    { dimension: 'browser', order: 1, phases: [{ shares: half, counts: [9_750, 9_350] }] },
    { dimension: 'browser', order: 2, phases: [{ shares: half, counts: [300, 600] }] },
  ];
  const plain = lookAtSrm(startSrm(), { phases: whole, dimensions: [], cells: [] });
  const split = lookAtSrm(startSrm(), { phases: whole, dimensions: ['browser', 'day'], cells });
  expect(plain.verdict).toBe('Fits');
  expect(split.verdict).toBe('SampleRatioMismatch');
});

test('a dimension without values yet weighs as no evidence', () => {
  const phases: PhaseCounts[] = [{ shares: half, counts: [550, 450] }];
  const whole = lookAtSrm(startSrm(), { phases, dimensions: [], cells: [] }).logE;
  const mixed = lookAtSrm(startSrm(), { phases, dimensions: ['day'], cells: [] }).logE;
  expect(Math.exp(mixed)).toBeCloseTo((Math.exp(whole) + 1) / 2, 10);
});

test('half the weight is on the whole, half on the dimensions; the j-th cell of one weighs 1 / (j (j + 1)), the rest is 1', () => {
  const whole = { shares: half, counts: [560, 440] };
  const cell = (dimension: string, order: number, counts: number[]) => ({
    dimension,
    order,
    phases: [{ shares: half, counts }],
  });
  const cells = [
    cell('browser', 1, [300, 290]),
    cell('browser', 2, [260, 150]),
    cell('browser', 3, [30, 80]),
    cell('day', 1, [560, 440]),
  ];
  const e = (counts: number[]) => Math.exp(logSrmEValue(counts, half));
  const browser = e([300, 290]) / 2 + e([260, 150]) / 6 + e([30, 80]) / 12 + 1 / 4;
  const day = e([560, 440]) / 2 + 1 / 2;
  const { logE } = lookAtSrm(startSrm(), { phases: [whole], dimensions: ['browser', 'day'], cells });
  expectRelative(Math.exp(logE), e([560, 440]) / 2 + (browser + day) / 4, 1e-12);
});

// The state carries the evidence: nothing new is seen.
test.each([
  [5, 'Fits', { warnBelow: Math.exp(-5), blockBelow: 1e-9 }],
  [5, 'Warn', { warnBelow: Math.exp(-4.9), blockBelow: Math.exp(-5) }],
  [5, 'SampleRatioMismatch', { warnBelow: 0.01, blockBelow: Math.exp(-4.9) }],
  [Math.log(101), 'Warn', undefined],
  [Math.log(999), 'Warn', undefined],
  [Math.log(1001), 'SampleRatioMismatch', undefined],
] as const)('evidence of ln E = %d is %s: p must be below the threshold, not at it', (maxLogE, verdict, thresholds) => {
  expect(lookAtSrm({ maxLogE }, { phases: [], dimensions: [], cells: [] }, thresholds).verdict).toBe(verdict);
});

test.each([
  [{ warnBelow: 0, blockBelow: 0.001 }, 'warnBelow must be'],
  [{ warnBelow: 0.01, blockBelow: 1 }, 'blockBelow must be'],
])('refuses thresholds %j', (thresholds, message) => {
  const nothing = { phases: [], dimensions: [], cells: [] };
  expect(() => lookAtSrm(startSrm(), nothing, thresholds)).toThrow(`SLUICE_STATS_ARGUMENT: ${message}`);
});

test.each([
  [[1, 2], [0.5, 0.6], 'sum to 1'],
  [[1, 2], [1, 0], 'two arms'],
  [[1, 2, 3], [0.5, 0.5], 'one share for each'],
  [[1.5, 2], [0.5, 0.5], 'integer'],
  [[Number.NaN, 2], [0.5, 0.5], 'integer'],
  [[-1, 2], [0.5, 0.5], 'integer'],
  [[1, 2], [1.5, -0.5], 'inside [0, 1]'],
])('refuses counts %j with shares %j', (counts, shares, message) => {
  expect(() => chiSquareSrm(counts, shares)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => chiSquareSrm(counts, shares)).toThrow(message);
  expect(() => logSrmEValue(counts, shares)).toThrow(message);
});

test('an order of 0 is refused: its weight would be infinite', () => {
  const cell = { dimension: 'day', order: 0, phases: [] };
  expect(() => lookAtSrm(startSrm(), { phases: [], dimensions: ['day'], cells: [cell] })).toThrow(
    'SLUICE_STATS_ARGUMENT: order counts from 1',
  );
  const halfCell = { ...cell, order: 1.5 };
  expect(() => lookAtSrm(startSrm(), { phases: [], dimensions: ['day'], cells: [halfCell] })).toThrow('order must be');
});

test('the Bayes factor does not depend on the order of the arms', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), fc.nat(100_000), (a, b, c) => {
      const forward = logSrmEValue([a, b, c], [0.2, 0.3, 0.5]);
      const backward = logSrmEValue([c, b, a], [0.5, 0.3, 0.2]);
      expect(Math.abs(forward - backward)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(forward)));
    }),
  );
});

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
