import { expect, test } from 'vitest';
import { cuped, varianceOfForm } from '../../../../src/core/stats/cuped/cuped.ts';
import { ratioCuped } from '../../../../src/core/stats/cuped/ratio-cuped.ts';
import { meanGuardrailEvidence } from '../../../../src/core/stats/decide/mean-guardrail.ts';
import { errorsToSafe, requestsToSafe } from '../../../../src/core/stats/decide/time-to-safe.ts';
import { betaBinomialLogMixture } from '../../../../src/core/stats/sequential/beta-binomial.ts';
import { oneSidedLogMixture, twoSidedLogMixture } from '../../../../src/core/stats/sequential/normal-mixture.ts';
import { compareQuantiles } from '../../../../src/core/stats/sequential/quantile-comparison.ts';
import { quantileSequence } from '../../../../src/core/stats/sequential/quantile-sequence.ts';
import { logDirichletBayesFactor, logSrmEValue } from '../../../../src/core/stats/srm/multinomial-bayes-factor.ts';
import { postStratify } from '../../../../src/core/stats/stratify/post-stratify.ts';
import type { JointMoments } from '../../../../src/core/stats/summaries/joint-moments.ts';

const infinite = Number.POSITIVE_INFINITY;

/** Ten units with a metric and a covariate, by sums of squares and of products. */
const pair = (yy: number, xx: number, xy: number, yx = xy): JointMoments => ({
  n: 10,
  means: [1, 1],
  comoments: [
    [yy, xy],
    [yx, xx],
  ],
});

const unitMoments = (size: number, means: readonly number[] = new Array<number>(size).fill(1)): JointMoments => ({
  n: 10,
  means,
  comoments: Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))),
});

const guardrail = (estimate: number, standardError: number, margin: number) =>
  meanGuardrailEvidence(
    { estimate, standardError, n: 1000 },
    { worse: 'Higher', margin },
    { alpha: 0.05, plannedSampleSize: 1000 },
  );

const stratum = (treatment: number, control: number) => ({
  treatment: { n: 10, mean: treatment, m2: 1 },
  control: { n: 10, mean: control, m2: 1 },
});

const steps = (g: number, h: number, r: number) => (s: number, v: number) => betaBinomialLogMixture({ g, h, r }, s, v);
const medians = { p: 0.5, alpha: 0.05, plannedObservations: 100 };
const way = { threshold: 3, probability: 0.5 };

test.each<[string, () => unknown, RegExp]>([
  ['cuped: a covariance beyond the spreads', () => cuped([pair(1, 1, 5)]), /values 0 and 1 contradict/],
  ['cuped: a negative sum of squares', () => cuped([pair(-1, 1, 0)]), /sum of squares must be/],
  ['cuped: a negative sum of squares of the covariate', () => cuped([pair(1, -1, 0)]), /sum of squares must be/],
  ['cuped: products that are not symmetric', () => cuped([pair(1, 1, 0.3, 0.9)]), /values 0 and 1 contradict/],
  [
    'cuped: covariates whose correlations exclude each other',
    () => {
      const comoments = [
        [1, 0.9, 0.9],
        [0.9, 1, -0.5],
        [0.9, -0.5, 1],
      ];
      return cuped([{ n: 10, means: [0, 0, 0], comoments }]);
    },
    /contradict each other/,
  ],
  ['varianceOfForm: an infinite variance', () => varianceOfForm(pair(infinite, 1, 0), [1, 0]), /moment must be/],
  ['varianceOfForm: an infinite covariance', () => varianceOfForm(pair(1, 1, -infinite), [1, 1]), /moment must be/],
  ['varianceOfForm: infinitely many', () => varianceOfForm({ ...pair(1, 1, 0), n: infinite }, [1, 1]), /n must be/],
  ['varianceOfForm: an infinite weight', () => varianceOfForm(pair(1, 1, 0), [infinite, 1]), /weight must be/],
  ['varianceOfForm: too few weights', () => varianceOfForm(pair(1, 1, 0), [1]), /moments of 1 components/],
  ['ratioCuped: three components', () => ratioCuped([unitMoments(3)]), /moments of 4 components/],
  ['ratioCuped: more means than products', () => ratioCuped([unitMoments(3, [1, 1, 1, 1])]), /of 4 components/],
  ['ratioCuped: arms of different sizes', () => ratioCuped([unitMoments(4), unitMoments(2)]), /of 4 components/],
  ['meanGuardrailEvidence: a distance beyond doubles', () => guardrail(-1e308, 1, 1e308), /estimate less null must be/],
  ['meanGuardrailEvidence: evidence beyond doubles', () => guardrail(1e300, 1, 0), /evidence of harm must be/],
  ['meanGuardrailEvidence: safety beyond doubles', () => guardrail(0, 1, 1e300), /evidence of safety must be/],
  ['meanGuardrailEvidence: a tiny error', () => guardrail(1e300, 1e-300, 0), /distance from the null must be/],
  ['meanGuardrailEvidence: a huge error', () => guardrail(1, 1e308, 0), /deviation of a unit must be/],
  ['postStratify: strata 1e300 apart', () => postStratify([stratum(1e300, 0), stratum(0, 1e300)]), /variance must be/],
  ['postStratify: arms 1e308 apart', () => postStratify([stratum(1e308, -1e308)]), /estimate must be/],
  ['logSrmEValue: no kappas', () => logSrmEValue([5, 6], [0.5, 0.5], []), /at least one kappa/],
  [
    'logDirichletBayesFactor: weights whose sum overflows',
    () => logDirichletBayesFactor([5, 6], [0.5, 0.5], [1.7e308, 1.7e308]),
    /log Bayes factor must be/,
  ],
  ['betaBinomialLogMixture: a step of no size', () => steps(0, 0.5, 1)(0, 10), /g must be/],
  ['betaBinomialLogMixture: a negative step', () => steps(0.5, -1, 1)(0, 10), /h must be/],
  ['betaBinomialLogMixture: no precision', () => steps(0.5, 0.5, 0)(0, 10), /r must be/],
  ['betaBinomialLogMixture: an infinite sum', () => steps(0.5, 0.5, 1)(-infinite, 10), /s must be a finite/],
  ['betaBinomialLogMixture: infinite time', () => steps(0.5, 0.5, 1)(0, infinite), /v must be/],
  ['compareQuantiles: NaN at the end', () => compareQuantiles([1, 2, Number.NaN], [2, 3], medians), /value must be/],
  ['compareQuantiles: Infinity at the end', () => compareQuantiles([1, 2], [2, infinite], medians), /value must be/],
  ['compareQuantiles: holes', () => compareQuantiles(new Array<number>(3), [1], medians), /value must be/],
  ['compareQuantiles: unsorted', () => compareQuantiles([2, 1], [1], medians), /must be sorted/],
  ['quantileSequence: NaN at the end', () => quantileSequence([1, 2, Number.NaN], medians), /value must be/],
  ['oneSidedLogMixture: time beyond doubles', () => oneSidedLogMixture(-infinite, 1.7e308, 1.7e308), /v \+ rho must/],
  ['oneSidedLogMixture: growth beyond doubles', () => oneSidedLogMixture(infinite, 1e300, 1e-300), /v \/ rho must/],
  ['twoSidedLogMixture: time beyond doubles', () => twoSidedLogMixture(1, 1.7e308, 1.7e308), /v \+ rho must/],
  ['requestsToSafe: −Infinity errors', () => requestsToSafe(0.002, -infinite, way), /errorsPerRequest must be/],
  ['requestsToSafe: NaN errors', () => requestsToSafe(0.002, Number.NaN, way), /errorsPerRequest must be/],
  ['errorsToSafe: a share of −Infinity', () => errorsToSafe(0.5, -infinite, way), /canaryShare must be/],
])('%s is a coded error that names it', (_what, answer, message) => {
  expect(answer).toThrow(message);
  expect(answer).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT' }));
});

test('no arms are too few for ratioCuped', () => {
  expect(() => ratioCuped([])).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_TOO_FEW' }));
});

test('an infinite sum gives the limits of the normal mixtures', () => {
  expect(oneSidedLogMixture(-infinite, 10, 1)).toBe(-infinite);
  expect(oneSidedLogMixture(infinite, 10, 1)).toBe(infinite);
  expect(twoSidedLogMixture(-infinite, 10, 1)).toBe(infinite);
});

test('large values that only overflow on the way have their true answer', () => {
  // A look has no scale of its own; multiplied by its 1,000 units, these distances leave the doubles.
  expect(guardrail(2e306, 1e305, 4e306).logSafe).toBeCloseTo(guardrail(20, 1, 40).logSafe, 9);
  expect(postStratify([stratum(1e200, 0), stratum(1e200, 0)]).estimate).toBe(1e200);
  expect(twoSidedLogMixture(1e160, 1e300, 1e300)).toBeCloseTo(0.25e20 - Math.LN2 / 2, -5);
});

test('a constant covariate whose sums left crumbs is not a contradiction', () => {
  const crumbs = {
    n: 1e6,
    means: [3, 0.1],
    comoments: [
      [2e6, 1e-8],
      [1e-8, 0],
    ],
  };
  expect(cuped([crumbs]).theta).toEqual([0]);
});
