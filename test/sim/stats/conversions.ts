import { seededRandom } from '../../../src/base/random.ts';
import { sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { absoluteLook, logRatioLook } from '../../../src/core/stats/sequential/scales.ts';
import { rareBinomialDraw } from './draws.ts';
import { type Row, tally } from './row.ts';

const plan = { alpha: 0.05, plannedSampleSize: 5_000 };
const usersPerLook = 100;
const looks = 200;

const arm = (successes: number, n: number) => {
  const rate = successes / n;
  return { n, mean: rate, variance: (rate * (1 - rate) * n) / (n - 1) };
};

/** Statistics.md finding 1: A/A at 1 % conversion, a look every 100 users an arm up to 20,000, N* = 5,000. */
export function conversionAA(runs: number): Row[] {
  const scenario = '1 % conversion, A/A, 200 looks';
  const ours = { scenario, event: 'false alarm', alpha: 0.05, whose: 'ours' } as const;
  const peer = { ...ours, whose: 'peer' } as const;
  const random = seededRandom(101);
  return tally(
    runs,
    [
      { ...ours, method: 'sequence, absolute, after burn-in' },
      { ...ours, method: 'sequence, log ratio, after burn-in' },
      { ...peer, method: 'sequence on relative lift by the delta method' },
      { ...peer, method: 'z test at each look' },
    ],
    (fire) => {
      let [a, b] = [0, 0];
      for (let look = 1; look <= looks; look++) {
        a += rareBinomialDraw(random, usersPerLook, 0.01);
        b += rareBinomialDraw(random, usersPerLook, 0.01);
        if (a === 0 || b === 0) continue;
        const [control, treatment] = [arm(a, look * usersPerLook), arm(b, look * usersPerLook)];
        const absolute = absoluteLook(treatment, control);
        if (Math.min(a, b) >= 25) {
          if (sequenceLook(absolute, plan).pValue <= 0.05) fire(0, look);
          if (sequenceLook(logRatioLook(treatment, control), plan).pValue <= 0.05) fire(1, look);
        }
        if (sequenceLook(relativeLook(treatment, control), plan).pValue <= 0.05) fire(2, look);
        if (Math.abs(absolute.estimate) > 1.96 * absolute.standardError) fire(3, look);
      }
    },
  );
}

type Arm = ReturnType<typeof arm>;

/** What peers do by default; never shipped. */
function relativeLook(treatment: Arm, control: Arm) {
  const variance =
    treatment.variance / treatment.n / control.mean ** 2 +
    (control.variance * treatment.mean ** 2) / control.n / control.mean ** 4;
  const estimate = (treatment.mean - control.mean) / control.mean;
  return { estimate, standardError: Math.sqrt(variance), n: treatment.n + control.n };
}

/** Coverage and power with a true effect: 2 % against 2.6 %, daily looks of 500 users an arm over 40 days. */
export function conversionEffect(runs: number): Row[] {
  const scenario = '2.0 % → 2.6 %, 40 looks';
  const random = seededRandom(102);
  const missed = { scenario, event: 'interval missed the truth', alpha: 0.05, whose: 'ours' } as const;
  const found = { scenario, event: 'found', whose: 'ours' } as const;
  const own = { alpha: 0.05, plannedSampleSize: 20_000 };
  return tally(
    runs,
    [
      { ...missed, method: 'sequence, absolute' },
      { ...missed, method: 'sequence, log ratio' },
      { ...found, method: 'sequence, absolute' },
      { ...found, method: 'sequence, log ratio' },
    ],
    (fire) => {
      let [a, b] = [0, 0];
      for (let look = 1; look <= 40; look++) {
        a += rareBinomialDraw(random, 500, 0.02);
        b += rareBinomialDraw(random, 500, 0.026);
        if (Math.min(a, b) < 25) continue;
        const arms = [arm(b, look * 500), arm(a, look * 500)] as const;
        const answers = [sequenceLook(absoluteLook(...arms), own), sequenceLook(logRatioLook(...arms), own)];
        answers.forEach(({ lower, upper }, i) => {
          const truth = i === 0 ? 0.006 : Math.log(1.3);
          if (lower > truth || upper < truth) fire(i, look);
          if (lower > 0) fire(2 + i, look);
        });
      }
    },
    40,
  );
}
