import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  betaCdf,
  betaLogCdf,
  betaLogPdf,
  betaLogSf,
  betaQuantile,
  betaQuantileSf,
  betaSf,
} from '../../../../../src/core/stats/special/beta.ts';
import {
  binomialCdf,
  binomialLogCdf,
  binomialLogSf,
  binomialPmf,
  binomialSf,
} from '../../../../../src/core/stats/special/binomial.ts';
import {
  chiSquareCdf,
  chiSquareLogSf,
  chiSquareQuantile,
  chiSquareQuantileSf,
  chiSquareSf,
} from '../../../../../src/core/stats/special/chi-square.ts';
import { erf, erfc, erfcx } from '../../../../../src/core/stats/special/erf.ts';
import { fCdf, fLogSf, fQuantile, fQuantileSf, fSf } from '../../../../../src/core/stats/special/f.ts';
import {
  gammaP,
  gammaPInv,
  gammaQ,
  gammaQInv,
  logGammaP,
  logGammaQ,
} from '../../../../../src/core/stats/special/gamma.ts';
import { lambertW0, lambertWm1, lambertWm1Log } from '../../../../../src/core/stats/special/lambert-w.ts';
import { logAddExp, logDiffExp, logSumExp } from '../../../../../src/core/stats/special/logsumexp.ts';
import {
  normalCdf,
  normalLogCdf,
  normalLogPdf,
  normalPdf,
  normalQuantile,
  normalQuantileLog,
  normalQuantileSf,
  normalSf,
} from '../../../../../src/core/stats/special/normal.ts';
import {
  poissonCdf,
  poissonLogCdf,
  poissonLogSf,
  poissonPmf,
  poissonSf,
} from '../../../../../src/core/stats/special/poisson.ts';
import {
  tCdf,
  tLogCdf,
  tLogPdf,
  tLogSf,
  tQuantile,
  tQuantileSf,
  tSf,
} from '../../../../../src/core/stats/special/student-t.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

const logUniform = (least: number, most: number) =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);
const shape = logUniform(1e-3, 1e7);
const share = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
const score = fc.double({ min: -37, max: 37, noNaN: true });

/** What every law must satisfy at one point. */
function expectLaw(law: { cdf: number; sf: number; logCdf?: number; logSf?: number }): void {
  expectAbsolute(law.cdf + law.sf, 1, 4e-16, 'cdf + sf');
  expect(law.cdf).toBeGreaterThanOrEqual(0);
  expect(law.sf).toBeGreaterThanOrEqual(0);
  if (law.cdf > 1e-300 && law.logCdf !== undefined) expectRelative(Math.exp(law.logCdf), law.cdf, 1e-12, 'logCdf');
  if (law.sf > 1e-300 && law.logSf !== undefined) expectRelative(Math.exp(law.logSf), law.sf, 1e-12, 'logSf');
}

test('cdf and sf add to 1 and their logs agree, for every law', () => {
  fc.assert(
    fc.property(shape, shape, score, share, (a, b, z, x) => {
      expectLaw({ cdf: normalCdf(z), sf: normalSf(z), logCdf: normalLogCdf(z) });
      expectLaw({ cdf: tCdf(z, a), sf: tSf(z, a), logCdf: tLogCdf(z, a), logSf: tLogSf(z, a) });
      expectLaw({ cdf: gammaP(a, b), sf: gammaQ(a, b), logCdf: logGammaP(a, b), logSf: logGammaQ(a, b) });
      expectLaw({ cdf: chiSquareCdf(b, a), sf: chiSquareSf(b, a), logSf: chiSquareLogSf(b, a) });
      expectLaw({ cdf: betaCdf(x, a, b), sf: betaSf(x, a, b), logCdf: betaLogCdf(x, a, b), logSf: betaLogSf(x, a, b) });
      expectLaw({ cdf: fCdf(x, a, b), sf: fSf(x, a, b), logSf: fLogSf(x, a, b) });
      const k = Math.floor(b * x);
      expectLaw({ cdf: poissonCdf(k, a), sf: poissonSf(k, a), logCdf: poissonLogCdf(k, a), logSf: poissonLogSf(k, a) });
      const n = Math.ceil(b);
      expectLaw({
        cdf: binomialCdf(k, n, x),
        sf: binomialSf(k, n, x),
        logCdf: binomialLogCdf(k, n, x),
        logSf: binomialLogSf(k, n, x),
      });
    }),
  );
});

test('a quantile is undone by its cdf, from both tails', () => {
  fc.assert(
    fc.property(logUniform(0.05, 1e7), logUniform(0.05, 1e7), logUniform(1e-200, 0.5), (a, b, p) => {
      expectRelative(normalCdf(normalQuantile(p)), p, 1e-12, 'normal');
      expectRelative(normalSf(normalQuantileSf(p)), p, 1e-12, 'normal sf');
      // One unit in the last place of a quantile near a large mode moves its tail by more than 1e-12.
      const fine = 1e-10 * Math.sqrt(1 + 1e-4 * Math.max(a, b));
      const near = gammaPInv(a, p);
      if (near > 1e-300) expectRelative(gammaP(a, near), p, fine, 'gamma');
      expectRelative(gammaQ(a, gammaQInv(a, p)), p, fine, 'gamma sf');
      expectRelative(chiSquareSf(chiSquareQuantileSf(p, a), a), p, fine, 'chi-square sf');
      const far = tQuantileSf(p, a);
      if (far < 1e150) expectRelative(tSf(far, a), p, fine, 't sf');
      const high = fQuantileSf(p, a, b);
      if (high < 1e300) expectRelative(fSf(high, a, b), p, fine, 'F sf');
      const x = betaQuantile(p, a, b);
      if (x > 1e-300 && x < 0.5) expectRelative(betaCdf(x, a, b), p, fine, 'beta');
      const y = betaQuantileSf(p, a, b);
      if (y > 1e-300 && y < 0.5) expectRelative(betaSf(y, a, b), p, fine, 'beta sf');
    }),
    { numRuns: 60 },
  );
});

test('cdfs and quantiles are monotone', () => {
  fc.assert(
    fc.property(shape, shape, share, share, (a, b, p, q) => {
      const [low, high] = p < q ? [p, q] : [q, p];
      expect(betaCdf(high, a, b) - betaCdf(low, a, b)).toBeGreaterThanOrEqual(-1e-14);
      expect(gammaP(a, a * high) - gammaP(a, a * low)).toBeGreaterThanOrEqual(-1e-14);
      expect(normalQuantile(high)).toBeGreaterThanOrEqual(normalQuantile(low));
      // Below 1e-300 no digit is promised (docs/statistics.md), so nothing there can be out of order.
      const slack = (value: number) => value * (1 - 1e-13) - 1e-300;
      expect(gammaPInv(a, high)).toBeGreaterThanOrEqual(slack(gammaPInv(a, low)));
      expect(chiSquareQuantile(high, a)).toBeGreaterThanOrEqual(slack(chiSquareQuantile(low, a)));
      expect(fQuantile(high, a, b)).toBeGreaterThanOrEqual(slack(fQuantile(low, a, b)));
      expect(betaQuantile(high, a, b)).toBeGreaterThanOrEqual(slack(betaQuantile(low, a, b)));
    }),
    { numRuns: 60 },
  );
});

test('the laws of counts sum to their cdf', () => {
  let poisson = 0;
  let binomial = 0;
  for (let k = 0; k <= 30; k++) {
    poisson += poissonPmf(k, 12.5);
    binomial += binomialPmf(k, 40, 0.6);
    expectRelative(poissonCdf(k, 12.5), poisson, 1e-13);
    expectRelative(binomialCdf(k, 40, 0.6), binomial, 1e-13);
  }
  expect([41, -1, 1.5].map((k) => binomialPmf(k, 40, 0.6))).toEqual([0, 0, 0]);
  expect([binomialPmf(0, 3, 0), binomialPmf(3, 3, 1), poissonPmf(0, 0), poissonPmf(1.5, 2)]).toEqual([1, 1, 1, 0]);
  expectRelative(binomialPmf(0, 7, 0.2), 0.8 ** 7, 1e-14);
  expectRelative(binomialPmf(7, 7, 0.2), 0.2 ** 7, 1e-14);
});

test('densities are the slopes of their cdfs', () => {
  const h = 1e-5;
  for (const t of [-3, -0.2, 0.4, 2]) {
    expectRelative((tCdf(t + h, 7.5) - tCdf(t - h, 7.5)) / (2 * h), Math.exp(tLogPdf(t, 7.5)), 1e-8, 't');
    expectRelative((normalCdf(t + h) - normalCdf(t - h)) / (2 * h), normalPdf(t), 1e-8, 'normal');
    expectRelative(normalLogPdf(t), Math.log(normalPdf(t)), 1e-14, 'normal log');
  }
  const slope = (betaCdf(0.3 + h, 2.5, 4) - betaCdf(0.3 - h, 2.5, 4)) / (2 * h);
  expectRelative(slope, Math.exp(betaLogPdf(0.3, 2.5, 4)), 1e-8, 'beta');
  expect([betaLogPdf(0, 1, 3), betaLogPdf(1, 2, 3), betaLogPdf(0, 0.5, 3)]).toEqual([Math.log(3), -Infinity, Infinity]);
});

test('laws have their limits at the ends of their ranges', () => {
  expect([normalCdf(-Infinity), normalCdf(Infinity), normalSf(50), normalLogCdf(-Infinity)]).toEqual([
    0,
    1,
    0,
    -Infinity,
  ]);
  expect([normalQuantile(0), normalQuantile(1), normalQuantileLog(-Infinity)]).toEqual([
    -Infinity,
    Infinity,
    -Infinity,
  ]);
  expect([gammaP(2, 0), gammaQ(2, 0), gammaP(2, Infinity), gammaPInv(2, 0), gammaPInv(2, 1)]).toEqual([
    0,
    1,
    1,
    0,
    Infinity,
  ]);
  expect([betaCdf(0, 2, 3), betaSf(1, 2, 3), betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)]).toEqual([0, 0, 0, 1]);
  expect([tCdf(-Infinity, 3), tCdf(0, 3), tQuantile(0.5, 3), tQuantile(1, 3)]).toEqual([0, 0.5, 0, Infinity]);
  expect([poissonCdf(-1, 3), poissonSf(-1, 3), poissonCdf(5, 0), poissonLogCdf(-1, 2)]).toEqual([0, 1, 1, -Infinity]);
  expect([binomialCdf(-1, 3, 0.5), binomialCdf(3, 3, 0.5), binomialSf(1, 3, 0)]).toEqual([0, 1, 0]);
  expect([fCdf(0, 2, 3), fSf(Infinity, 2, 3), erf(Infinity), erfc(-Infinity)]).toEqual([0, 0, 1, 2]);
  expect([erf(-30), gammaPInv(1e-3, 1e-10)]).toEqual([-1, 0]);
  expectRelative(gammaQ(1e-12, 1), 2.193839343955e-13, 1e-10, 'E1(1) times the shape');
});

test('the scaled error function goes on as 1 / (x √π), without a step', () => {
  for (const x of [0.99e8, 1.01e8, 1e300]) expectRelative(erfcx(x), 1 / x / Math.sqrt(Math.PI), 1e-15);
});

test('counts of 1e12 and tiny shapes give probabilities, never NaN', () => {
  fc.assert(
    fc.property(logUniform(1e-12, 1e13), logUniform(1e-12, 1e13), share, logUniform(1e-300, 1e13), (a, b, x, y) => {
      for (const value of [betaCdf(x, a, b), betaSf(x, a, b), gammaP(a, y), gammaQ(a, y), tSf(y, a), fSf(y, a, b)]) {
        expect(value >= 0 && value <= 1, `${value} at ${a}, ${b}, ${x}, ${y}`).toBe(true);
      }
    }),
  );
  expectRelative(tSf(10, 1e300), normalSf(10), 1e-12, 't with endless degrees of freedom');
  expectAbsolute(binomialCdf(5e11, 1e12, 0.5), 0.5 + 3.99e-7, 1e-9);
});

test('Lambert W solves its equation on both branches', () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 700, noNaN: true }), logUniform(1, 1e6), (w, u) => {
      expectRelative(lambertW0(w * Math.exp(w)), w, w < -0.99 ? 1e-6 : 1e-12, 'W0');
      if (u > 1.01 && u < 600) expectRelative(lambertWm1(-u * Math.exp(-u)), -u, 1e-12, 'W-1');
      if (u > 1.01) expectRelative(lambertWm1Log(Math.log(u) - u), -u, 1e-11, 'W-1 by log');
    }),
  );
  expectAbsolute(lambertW0(-1 / Math.E), -1, 1e-7);
  expectAbsolute(lambertWm1(-1 / Math.E), -1, 1e-7);
  expectAbsolute(lambertWm1Log(-1), -1, 1e-7);
  expect([lambertW0(0), lambertW0(Infinity), lambertWm1Log(-Infinity)]).toEqual([0, Infinity, -Infinity]);
});

test('sums and differences of exponentials survive overflow', () => {
  expectRelative(logAddExp(1000, 1000), 1000 + Math.LN2, 1e-15);
  expectRelative(logSumExp([-1000, -1001, -1002]), -1000 + Math.log(1 + Math.exp(-1) + Math.exp(-2)), 1e-15);
  expectRelative(logDiffExp(1000, 999), 1000 + Math.log(1 - Math.exp(-1)), 1e-15);
  expectRelative(logDiffExp(1e-10, 0), Math.log(Math.expm1(1e-10)), 1e-14);
  expect([logSumExp([]), logDiffExp(3, 3), logAddExp(-Infinity, -Infinity), logAddExp(Infinity, 1)]).toEqual([
    -Infinity,
    -Infinity,
    -Infinity,
    Infinity,
  ]);
});
