import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/base/random.ts';
import { betaPosterior, chanceGreater, expectedLoss } from '../../../../../src/core/stats/bayes/beta-binomial.ts';
import {
  chanceAbove,
  credibleLimits,
  effectBelief,
  effectPosterior,
} from '../../../../../src/core/stats/bayes/normal-posterior.ts';
import { lbeta } from '../../../../../src/core/stats/special/beta.ts';
import { normalQuantile } from '../../../../../src/core/stats/special/normal.ts';
import { armMean, armProportion, momentsOfSums } from '../../../../../src/core/stats/summaries/moments.ts';
import { relativeVariance } from '../../../../../src/core/stats/tests/relative.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const flat = { kind: 'Flat' } as const;

test('B1: two proportions with a flat prior', () => {
  const [t, c] = [armProportion(51, 100), armProportion(49, 100)];
  const effect = { estimate: (t.mean - c.mean) / c.mean, standardError: Math.sqrt(relativeVariance(t, c)) };
  const posterior = effectPosterior(effect, flat);
  expectAbsolute(posterior.mean, 0.0408163265, 1e-8);
  expectAbsolute(posterior.standardDeviation, 0.1472525457, 1e-8);
  const belief = effectBelief(posterior);
  expectAbsolute(belief.chanceToWin, 0.60918131, 1e-8);
  expectAbsolute(belief.lossOfControl, 0.0813958492, 1e-8);
  expectAbsolute(belief.lossOfTreatment, 0.0405795226, 1e-8);
  expect(posterior.isProper).toBe(false);
});

test('B2: two means with a flat prior', () => {
  const c = armMean(momentsOfSums({ n: 10, sum: 100, sumOfSquares: 1002.25 }));
  const t = armMean(momentsOfSums({ n: 10, sum: 105, sumOfSquares: 1111.5 }));
  const effect = { estimate: (t.mean - c.mean) / c.mean, standardError: Math.sqrt(relativeVariance(t, c)) };
  expectAbsolute(effect.estimate, 0.05, 1e-12);
  expectAbsolute(effect.standardError, 0.0357158928, 1e-8);
  const belief = effectBelief(effectPosterior(effect, flat));
  expectAbsolute(belief.chanceToWin, 0.919233908, 1e-8);
  expectAbsolute(belief.lossOfControl, 0.0513098172, 1e-8);
  expectAbsolute(belief.lossOfTreatment, 0.0013098172, 1e-8);
});

test('B3: expected losses in closed form', () => {
  for (const [mean, control, treatment] of [
    [0.1, 0.1004245351, 0.0004245351],
    [-0.02, 0.0115219418, 0.0315219418],
  ] as const) {
    const belief = effectBelief({ mean, standardDeviation: 0.05, isProper: true });
    expectAbsolute(belief.lossOfControl, control, 1e-9);
    expectAbsolute(belief.lossOfTreatment, treatment, 1e-9);
  }
});

test.each([
  ['B4', { a: 101, b: 901 }, { a: 121, b: 881 }, 0.923183439, 4.846139264e-4, 0.0204446938],
  ['B5', { a: 11, b: 91 }, { a: 16, b: 86 }, 0.8532837899, 0.0035780881, 0.052597696],
])('%s: beta laws', (_id, a, b, chance, lossOfB, lossOfA) => {
  expectAbsolute(chanceGreater(b, a), chance, 1e-9);
  expectAbsolute(expectedLoss(b, a), lossOfB, 1e-9);
  expectAbsolute(expectedLoss(a, b), lossOfA, 1e-9);
});

test('the chance of one beta law over another equals the closed sum for whole shapes', () => {
  fc.assert(
    fc.property(fc.tuple(...[1, 2, 3, 4].map(() => fc.integer({ min: 1, max: 400 }))), ([aA, bA, aB, bB]) => {
      if (aA === undefined || bA === undefined || aB === undefined || bB === undefined) return;
      let sum = 0;
      for (let i = 0; i < aB; i++) {
        sum += Math.exp(lbeta(aA + i, bA + bB) - lbeta(1 + i, bB) - lbeta(aA, bA)) / (bB + i);
      }
      expectAbsolute(chanceGreater({ a: aB, b: bB }, { a: aA, b: bA }), sum, 1e-11);
    }),
    { numRuns: 40 },
  );
});

test('both chances add to 1, also for tiny, huge and unlike shapes', () => {
  for (const [first, second] of [
    [
      { a: 0.05, b: 3 },
      { a: 1e6, b: 1e7 },
    ],
    [
      { a: 1e9, b: 1e9 },
      { a: 0.5, b: 0.5 },
    ],
    [
      { a: 0.5, b: 200.5 },
      { a: 3.5, b: 197.5 },
    ],
    [
      { a: 1e12, b: 1e12 },
      { a: 1e12, b: 1e12 },
    ],
    [
      { a: 0.05, b: 0.05 },
      { a: 0.05, b: 0.05 },
    ],
  ] as const) {
    expectAbsolute(chanceGreater(first, second) + chanceGreater(second, first), 1, 1e-8);
  }
  expectAbsolute(chanceGreater({ a: 2, b: 2 }, { a: 2, b: 2 }), 0.5, 1e-14);
});

test('a proper prior draws an early estimate towards 0 and gives way to data', () => {
  const early = effectPosterior({ estimate: 0.5, standardError: 0.3 });
  expectRelative(early.mean, 0.5 * (0.01 / (0.01 + 0.09)), 1e-12);
  expectRelative(early.standardDeviation, 1 / Math.sqrt(1 / 0.01 + 1 / 0.09), 1e-12);
  expect(early.isProper).toBe(true);
  expectAbsolute(effectPosterior({ estimate: 0.5, standardError: 1e-4 }).mean, 0.5, 1e-6);
  const { lower, upper } = credibleLimits(early, 0.05);
  expectAbsolute(chanceAbove(early, upper), 0.025, 1e-12);
  expectAbsolute(chanceAbove(early, lower), 0.975, 1e-12);
});

test('losses of far effects are tiny, not negative', () => {
  const belief = effectBelief({ mean: 30, standardDeviation: 1, isProper: true });
  expect(belief.lossOfTreatment).toBeGreaterThan(0);
  expect(belief.lossOfTreatment).toBeLessThan(1e-190);
  expect(effectBelief({ mean: 100, standardDeviation: 1, isProper: true })).toEqual({
    chanceToWin: 1,
    lossOfControl: 100,
    lossOfTreatment: 0,
  });
});

test('looking daily at a flat prior has the error rate of naive peeking; the default prior is far below (trap 23)', () => {
  const random = seededRandom(11);
  let [flatWins, properWins] = [0, 0];
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    let sum = 0;
    let [flatSeen, properSeen] = [false, false];
    for (let day = 1; day <= 30; day++) {
      sum += normalQuantile(Math.max(random(), 1e-12));
      // Log ratio of standard error 0.5 on the first day.
      const effect = { estimate: (0.5 * sum) / day, standardError: 0.5 / Math.sqrt(day) };
      flatSeen ||= effectBelief(effectPosterior(effect, flat)).chanceToWin > 0.975;
      properSeen ||= effectBelief(effectPosterior(effect)).chanceToWin > 0.975;
    }
    flatWins += Number(flatSeen);
    properWins += Number(properSeen);
  }
  expect(flatWins / runs).toBeGreaterThan(0.1);
  expect(properWins / runs).toBeLessThan(0.04);
});

test.each([
  ['a standard error of 0', () => effectPosterior({ estimate: 1, standardError: 0 })],
  ['a NaN estimate', () => effectPosterior({ estimate: Number.NaN, standardError: 1 })],
  [
    'a prior without width',
    () => effectPosterior({ estimate: 1, standardError: 1 }, { kind: 'Normal', mean: 0, standardDeviation: 0 }),
  ],
  ['a shape without a law in doubles', () => chanceGreater({ a: 0.01, b: 1 }, { a: 1, b: 1 })],
  ['a shape of 0', () => chanceGreater({ a: 0, b: 1 }, { a: 1, b: 1 })],
  ['more successes than units', () => betaPosterior({ successes: 2, n: 1 })],
  ['an improper beta prior', () => betaPosterior({ successes: 0, n: 1 }, { a: 0, b: 0 })],
])('%s is refused', (_what, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT' }));
});

test('Jeffreys prior adds half a success and half a failure', () => {
  expect(betaPosterior({ successes: 3, n: 10 })).toEqual({ a: 3.5, b: 7.5 });
});
