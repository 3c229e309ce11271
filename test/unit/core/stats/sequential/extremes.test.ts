import fc from 'fast-check';
import { test } from 'vitest';
import { SluiceError } from '../../../../../src/base/errors.ts';
import type { DurationMs } from '../../../../../src/base/units.ts';
import {
  counterEvidence,
  enterCounterStep,
  observeCounter,
  startCounter,
} from '../../../../../src/core/stats/counters/counter-process.ts';
import { cuped } from '../../../../../src/core/stats/cuped/cuped.ts';
import { ratioCuped } from '../../../../../src/core/stats/cuped/ratio-cuped.ts';
import { meanGuardrailEvidence } from '../../../../../src/core/stats/decide/mean-guardrail.ts';
import { timeToSafe } from '../../../../../src/core/stats/decide/time-to-safe.ts';
import { bernoulliSequence } from '../../../../../src/core/stats/sequential/bernoulli-sequence.ts';
import { betaBinomialLogMixture, betaBinomialMixture } from '../../../../../src/core/stats/sequential/beta-binomial.ts';
import { oneSidedLook, sequenceLook } from '../../../../../src/core/stats/sequential/confidence-sequence.ts';
import { gammaPoissonBound, gammaPoissonMixture } from '../../../../../src/core/stats/sequential/gamma-poisson.ts';
import { oneSidedBound, twoSidedBound } from '../../../../../src/core/stats/sequential/normal-mixture.ts';
import { polyStitchingBound } from '../../../../../src/core/stats/sequential/poly-stitching.ts';
import { absoluteLook, logRatioLook } from '../../../../../src/core/stats/sequential/scales.ts';
import { chiSquareSrm } from '../../../../../src/core/stats/srm/chi-square-srm.ts';
import { logSrmEValue } from '../../../../../src/core/stats/srm/multinomial-bayes-factor.ts';
import { postStratify } from '../../../../../src/core/stats/stratify/post-stratify.ts';

// Any input gives numbers or a coded error: NaN would pass every comparison of a decision unseen.

const anything = fc.oneof(
  fc.double(),
  fc.double({ min: 0, max: 1 }),
  fc.constantFrom(
    0,
    1,
    -1,
    2,
    0.5,
    1e-300,
    1e-12,
    1e12,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
);
const count = fc.oneof(anything, fc.nat(100), fc.constantFrom(1e12, 9e15));

function neverNaN(f: () => unknown): void {
  let result: unknown;
  try {
    result = f();
  } catch (error) {
    if (error instanceof SluiceError && error.code.startsWith('SLUICE_STATS_')) return;
    throw error;
  }
  const nan = (value: unknown): boolean =>
    typeof value === 'object' && value !== null ? Object.values(value).some(nan) : Number.isNaN(value);
  if (nan(result)) throw new Error(`NaN in ${JSON.stringify(result)}`);
}

const holds = (arity: number, f: (...args: number[]) => unknown, numRuns: number) =>
  fc.assert(
    fc.property(fc.array(count, { minLength: arity, maxLength: arity }), (args) => neverNaN(() => f(...args))),
    { numRuns, seed: 41 },
  );

const plan = (alpha: number, plannedSampleSize: number) => ({ alpha, plannedSampleSize });

test.each<[string, number, (...args: number[]) => unknown]>([
  [
    'sequenceLook',
    5,
    (estimate, standardError, n, a, p) => sequenceLook({ estimate, standardError, n } as never, plan(a!, p!)),
  ],
  [
    'oneSidedLook',
    5,
    (estimate, standardError, n, a, p) => oneSidedLook({ estimate, standardError, n } as never, plan(a!, p!)),
  ],
  [
    'meanGuardrailEvidence',
    4,
    (estimate, standardError, n, margin) =>
      meanGuardrailEvidence(
        { estimate, standardError, n } as never,
        { worse: 'Higher', margin: margin! },
        plan(0.05, 1000),
      ),
  ],
  [
    'absoluteLook',
    6,
    (n, mean, variance, m, b, v) =>
      absoluteLook({ n, mean, variance } as never, { n: m, mean: b, variance: v } as never),
  ],
  [
    'logRatioLook',
    6,
    (n, mean, variance, m, b, v) =>
      logRatioLook({ n, mean, variance } as never, { n: m, mean: b, variance: v } as never),
  ],
  ['twoSidedBound', 3, (v, a, r) => twoSidedBound(v!, a!, r!)],
  ['oneSidedBound', 3, (v, a, r) => oneSidedBound(v!, a!, r!)],
  ['polyStitchingBound', 4, (v, a, m, s) => polyStitchingBound(v!, a!, { minTime: m!, scale: s! })],
  ['gammaPoissonBound', 4, (t, a, v, b) => gammaPoissonBound(gammaPoissonMixture(t!, a!), v!, b!)],
  [
    'betaBinomialLogMixture',
    5,
    (g, h, t, s, v) => betaBinomialLogMixture(betaBinomialMixture(g!, h!, t!, 0.05), s!, v!),
  ],
  [
    'bernoulliSequence',
    4,
    (s, t, a, p) => bernoulliSequence({ successes: s!, trials: t! }, { alpha: a!, plannedTrials: p! }),
  ],
  ['chiSquareSrm', 3, (a, b, c) => chiSquareSrm([a!, b!, c!], [0.5, 0.3, 0.2])],
  ['logSrmEValue', 3, (a, b, c) => logSrmEValue([a!, b!, c!], [0.5, 0.5, 0])],
  ['chiSquareSrm shares', 2, (a, b) => chiSquareSrm([5, 6], [a!, b!])],
  [
    'cuped',
    6,
    (n, y, x, yy, xx, xy) =>
      cuped([
        {
          n: n!,
          means: [y!, x!],
          comoments: [
            [yy!, xy!],
            [xy!, xx!],
          ],
        },
      ]),
  ],
  [
    'ratioCuped',
    6,
    (n, a, b, c, d, s) =>
      ratioCuped([
        {
          n: n!,
          means: [a!, b!, c!, d!],
          comoments: [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? s! : 0))),
        },
      ]),
  ],
  [
    'postStratify',
    6,
    (n, mean, m2, m, b, v) =>
      postStratify([{ treatment: { n, mean, m2 } as never, control: { n: m, mean: b, m2: v } as never }]),
  ],
  [
    'timeToSafe',
    6,
    (r, e, share, margin, limit, d) =>
      timeToSafe(
        { relative: margin!, maxPer10k: limit! },
        {
          requestsPerSecond: r!,
          errorsPerRequest: e!,
          canaryShare: share!,
          pollInterval: 10_000 as DurationMs,
          dispersion: d!,
        },
        { safeAlpha: 0.05, probability: 0.5 },
      ),
  ],
])('%s never answers NaN', (name, arity, f) => {
  holds(arity, f, name === 'timeToSafe' ? 50 : 2_000);
});

test('counters never answer NaN', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(count, count, count, count), { maxLength: 6 }),
      anything,
      anything,
      (rows, relative, maxPer10k) => {
        neverNaN(() => {
          let state = startCounter({ relative, maxPer10k });
          for (const [canaryErrors, stableErrors, canaryRequests, stableRequests] of rows) {
            const duration = 10_000 as DurationMs;
            state = observeCounter(state, { canaryErrors, stableErrors, canaryRequests, stableRequests, duration });
          }
          return [counterEvidence(state), counterEvidence(enterCounterStep(state))];
        });
      },
    ),
    { numRuns: 2_000, seed: 41 },
  );
});
