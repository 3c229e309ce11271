import { seededRandom } from '../../../src/base/random.ts';
import { oneSidedLook, sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { absoluteLook, logRatioLook } from '../../../src/core/stats/sequential/scales.ts';
import { addValue, armMean, type Moments, noMoments } from '../../../src/core/stats/summaries/moments.ts';
import { capOf } from '../../../src/core/stats/winsorize/cap.ts';
import { normalDraws } from './draws.ts';
import { type Row, tally } from './row.ts';

const plan = { alpha: 0.05, plannedSampleSize: 20_000 };
const usersPerLook = 200;
const looks = 80;

/** Heavy tails: 5 % of users pay a log-normal amount with σ = 1.8 (coefficient of variation of all users about 22), A/A. */
export function heavyTails(runs: number): Row[] {
  const scenario = 'heavy-tailed revenue, A/A, 80 looks';
  const ours = { scenario, event: 'false alarm', alpha: 0.05, whose: 'ours' } as const;
  const random = seededRandom(201);
  const normal = normalDraws(random);
  const draw = (): number => (random() < 0.05 ? Math.exp(1.8 * normal()) : 0);
  return tally(
    runs,
    [
      { ...ours, method: 'sequence, absolute' },
      { ...ours, method: 'sequence, log ratio' },
      { ...ours, method: 'sequence, log ratio, capped at p99.9' },
      { ...ours, method: 'one-sided sequence, log ratio' },
      { ...ours, whose: 'peer', method: 'z test at each look' },
    ],
    (fire) => {
      // The cap comes from a burn-in that both arms share, and stays.
      const cap = capOf([Array.from({ length: 2_000 }, draw)], { kind: 'percentile', percentile: 0.999, of: 'All' });
      const plain = [noMoments, noMoments];
      const capped = [noMoments, noMoments];
      for (let look = 1; look <= looks; look++) {
        for (const i of [0, 1] as const) {
          for (let user = 0; user < usersPerLook; user++) {
            const value = draw();
            plain[i] = addValue(plain[i] as Moments, value);
            capped[i] = addValue(capped[i] as Moments, Math.min(value, cap));
          }
        }
        // 25 payers an arm.
        if (look * usersPerLook < 600) continue;
        const arms = [armOf(plain, 1), armOf(plain, 0)] as const;
        const absolute = absoluteLook(...arms);
        const ratio = logRatioLook(...arms);
        if (sequenceLook(absolute, plan).pValue <= 0.05) fire(0, look);
        if (sequenceLook(ratio, plan).pValue <= 0.05) fire(1, look);
        if (sequenceLook(logRatioLook(armOf(capped, 1), armOf(capped, 0)), plan).pValue <= 0.05) fire(2, look);
        if (oneSidedLook(ratio, plan).pValue <= 0.05) fire(3, look);
        if (Math.abs(absolute.estimate) > 1.96 * absolute.standardError) fire(4, look);
      }
    },
  );
}

const armOf = (arms: readonly Moments[], i: number) => armMean(arms[i] as Moments);
