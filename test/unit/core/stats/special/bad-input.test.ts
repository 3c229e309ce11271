import { expect, test } from 'vitest';
import { betaCdf, betaLogPdf, betaQuantile, lbeta } from '../../../../../src/core/stats/special/beta.ts';
import { binomialCdf, binomialLogPmf } from '../../../../../src/core/stats/special/binomial.ts';
import { chiSquareQuantileSf, chiSquareSf } from '../../../../../src/core/stats/special/chi-square.ts';
import { erf, erfc, erfcx } from '../../../../../src/core/stats/special/erf.ts';
import { fSf } from '../../../../../src/core/stats/special/f.ts';
import { gammaP, gammaPInv, lgamma } from '../../../../../src/core/stats/special/gamma.ts';
import { lambertW0, lambertWm1, lambertWm1Log } from '../../../../../src/core/stats/special/lambert-w.ts';
import { logDiffExp, logSumExp } from '../../../../../src/core/stats/special/logsumexp.ts';
import { invertMonotone } from '../../../../../src/core/stats/special/monotone-inverse.ts';
import {
  normalCdf,
  normalLogCdf,
  normalLogPdf,
  normalQuantile,
  normalQuantileLog,
} from '../../../../../src/core/stats/special/normal.ts';
import { poissonCdf, poissonLogPmf } from '../../../../../src/core/stats/special/poisson.ts';
import { brent } from '../../../../../src/core/stats/special/roots.ts';
import { tQuantile, tSf } from '../../../../../src/core/stats/special/student-t.ts';
import { expectAbsolute } from '../../../../support/close.ts';

test.each([
  ['erf of NaN', () => erf(Number.NaN)],
  ['erfc of NaN', () => erfc(Number.NaN)],
  ['erfcx of NaN', () => erfcx(Number.NaN)],
  ['normal cdf of NaN', () => normalCdf(Number.NaN)],
  ['normal quantile above 1', () => normalQuantile(1.1)],
  ['normal quantile of NaN', () => normalQuantile(Number.NaN)],
  ['normal log quantile above 0', () => normalQuantileLog(0.1)],
  ['lgamma of 0', () => lgamma(0)],
  ['lgamma of a negative number', () => lgamma(-1.5)],
  ['gamma with shape 0', () => gammaP(0, 1)],
  ['gamma below 0', () => gammaP(1, -1)],
  ['gamma with an infinite shape', () => gammaP(Infinity, 1)],
  ['gamma quantile of a negative share', () => gammaPInv(1, -0.1)],
  ['beta above 1', () => betaCdf(1.1, 1, 1)],
  ['beta with a negative shape', () => betaCdf(0.5, -1, 1)],
  ['beta with a shape that overflows', () => betaCdf(0.5, 1e300, 2)],
  ['beta density of NaN', () => betaLogPdf(Number.NaN, 1, 1)],
  ['beta quantile of NaN', () => betaQuantile(Number.NaN, 1, 1)],
  ['lbeta of 0', () => lbeta(0, 1)],
  ['t with 0 degrees of freedom', () => tSf(1, 0)],
  ['t quantile above 1', () => tQuantile(2, 3)],
  ['chi-square below 0', () => chiSquareSf(-1, 2)],
  ['chi-square tail above 1', () => chiSquareQuantileSf(1.5, 2)],
  ['F below 0', () => fSf(-1, 2, 3)],
  ['Poisson with a negative mean', () => poissonCdf(1, -1)],
  ['Poisson at NaN', () => poissonLogPmf(Number.NaN, 1)],
  ['binomial with half a trial', () => binomialCdf(1, 2.5, 0.5)],
  ['binomial with probability 2', () => binomialLogPmf(1, 2, 2)],
  ['Lambert W below −1/e', () => lambertW0(-0.4)],
  ['Lambert W-1 at 0', () => lambertWm1(0)],
  ['Lambert W-1 by a log above −1', () => lambertWm1Log(-0.5)],
  ['a negative difference of exponentials', () => logDiffExp(1, 2)],
  ['a sum over NaN', () => logSumExp([1, Number.NaN])],
])('%s is refused with a code', (_name, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'SLUICE_STATS_ARGUMENT' }));
});

test('Brent finds a root to its tolerance, from either direction and through infinities', () => {
  expectAbsolute(brent(Math.cos, 0, 3), Math.PI / 2, 1e-12);
  expectAbsolute(
    brent((x) => x ** 3 - 2, 2, 0, { tolerance: 1e-15 }),
    Math.cbrt(2),
    1e-15,
  );
  expectAbsolute(
    brent((x) => Math.log(x), 0, 5),
    1,
    1e-12,
  );
  expectAbsolute(
    brent((x) => (x < 0.3 ? -1 : 1), 0, 1),
    0.3,
    1e-12,
  );
  expect(brent((x) => x, 0, 1)).toBe(0);
  expect(brent((x) => x - 1, 0, 1)).toBe(1);
});

test('a quantile takes a handful of Newton steps, not a bisection', () => {
  let evaluations = 0;
  const law = {
    logCdf: (u: number) => {
      evaluations += 1;
      return normalLogCdf(u);
    },
    logSf: () => 0,
    logPdf: normalLogPdf,
  };
  const logTarget = normalLogCdf(-7);
  const u = invertMonotone(law, { logTarget, lower: true }, { start: -5, least: -100, most: 100 });
  expectAbsolute(u, -7, 1e-13);
  expect(evaluations).toBeLessThan(14);
});

test('Brent refuses what it cannot solve', () => {
  const noRoot = expect.objectContaining({ code: 'SLUICE_STATS_NO_ROOT' });
  expect(() => brent((x) => x * x + 1, -1, 1)).toThrow(noRoot);
  expect(() => brent(() => Number.NaN, -1, 1)).toThrow(noRoot);
  expect(() => brent((x) => x - 0.1, -1, 1e9, { maxIterations: 2 })).toThrow(noRoot);
});

test('Brent converges faster than bisection, which would take 48 steps and more', () => {
  const evaluations = (f: (x: number) => number, lo: number, hi: number) => {
    let count = 0;
    const counted = (x: number) => {
      count += 1;
      return f(x);
    };
    brent(counted, lo, hi, { tolerance: 1e-14 });
    return count;
  };
  expect(evaluations(Math.cos, 0, 3)).toBeLessThanOrEqual(8);
  expect(evaluations((x) => x ** 3 - 2, 0, 2)).toBeLessThanOrEqual(9);
  expect(evaluations((x) => Math.exp(x) - 1000, -10, 20)).toBeLessThanOrEqual(16);
  expect(evaluations((x) => Math.log(x) - 3, 1e-3, 1e6)).toBeLessThanOrEqual(24);
});
