import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SluiceError } from '../../../../../src/base/errors.ts';
import { effectBelief, effectPosterior } from '../../../../../src/core/stats/bayes/normal-posterior.ts';
import { unitsForMeans } from '../../../../../src/core/stats/power/means.ts';
import { detectableLift } from '../../../../../src/core/stats/power/relative-power.ts';
import { poissonRatioTest } from '../../../../../src/core/stats/tests/poisson-ratio.ts';
import {
  newcombeLimits,
  pooledProportionTest,
  proportionLimits,
} from '../../../../../src/core/stats/tests/proportions.ts';
import { fiellerLimits, logRatioTest, relativeDeltaTest } from '../../../../../src/core/stats/tests/relative.ts';
import { welchTest } from '../../../../../src/core/stats/tests/welch.ts';

/** Anything that a caller may hand over, sensible or not. */
const wild = fc.oneof(
  fc.double({ noNaN: false }),
  fc.constantFrom(0, -0, 1, -1, 1e-300, 1e300, 1e12, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE, 5e-324),
);
const count = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(100, 1e12, 2.5, -1, Number.NaN));
const arm = fc.record({ n: count, mean: wild, variance: wild });
const successes = fc.record({ successes: count, n: count });
const alpha = fc.oneof(fc.constantFrom(0.05, 1e-12), wild);

/** Every number in the answer is a number; a refusal has a code. */
function expectNoSurprise(call: () => object): void {
  let answer: object;
  try {
    answer = call();
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).code).toMatch(/^SLUICE_STATS_/);
    return;
  }
  for (const [key, value] of Object.entries(answer)) {
    if (typeof value === 'number') expect(value, `${key} of ${JSON.stringify(answer)}`).not.toBeNaN();
  }
}

test('whatever is handed over, the answer is a coded error or has no NaN in it', () => {
  fc.assert(
    fc.property(arm, arm, successes, successes, alpha, wild, (t, c, x, y, a, w) => {
      const plan = { alpha: a };
      expectNoSurprise(() => welchTest(t, c, plan, w));
      expectNoSurprise(() => relativeDeltaTest(t, c, plan));
      expectNoSurprise(() => logRatioTest(t, c, plan));
      expectNoSurprise(() => fiellerLimits(t, c, a));
      expectNoSurprise(() => pooledProportionTest(x, y, plan));
      expectNoSurprise(() => proportionLimits(x, y, a));
      expectNoSurprise(() => newcombeLimits(x, y, a));
      expectNoSurprise(() => poissonRatioTest({ events: x.n, exposure: w }, { events: y.n, exposure: 3 }, a));
      expectNoSurprise(() => effectBelief(effectPosterior({ estimate: t.mean, standardError: t.variance })));
      expectNoSurprise(() =>
        unitsForMeans({ varianceControl: t.variance, varianceTreatment: 1 }, w, { alpha: a, power: 0.8 }),
      );
      expectNoSurprise(() => ({
        lift: detectableLift({ mean: t.mean, variance: c.variance }, 1000, { alpha: a, power: 0.8 }),
      }));
    }),
    { numRuns: 400 },
  );
});
