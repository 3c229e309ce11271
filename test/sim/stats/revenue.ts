import { seededRandom } from '../../../src/base/random.ts';
import { oneSidedLook, sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { type ArmMoments, absoluteLook, logRatioLook } from '../../../src/core/stats/sequential/scales.ts';
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
      const plain = [new Running(), new Running()] as const;
      const capped = [new Running(), new Running()] as const;
      for (let look = 1; look <= looks; look++) {
        for (const i of [0, 1] as const) {
          for (let user = 0; user < usersPerLook; user++) {
            const value = draw();
            plain[i].add(value);
            capped[i].add(Math.min(value, cap));
          }
        }
        // 25 payers an arm.
        if (look * usersPerLook < 600) continue;
        const arms = [plain[1].moments(), plain[0].moments()] as const;
        const absolute = absoluteLook(...arms);
        const ratio = logRatioLook(...arms);
        if (sequenceLook(absolute, plan).pValue <= 0.05) fire(0, look);
        if (sequenceLook(ratio, plan).pValue <= 0.05) fire(1, look);
        if (sequenceLook(logRatioLook(capped[1].moments(), capped[0].moments()), plan).pValue <= 0.05) fire(2, look);
        if (oneSidedLook(ratio, plan).pValue <= 0.05) fire(3, look);
        if (Math.abs(absolute.estimate) > 1.96 * absolute.standardError) fire(4, look);
      }
    },
  );
}

/** Welford's running moments. */
class Running {
  #n = 0;
  #mean = 0;
  #m2 = 0;

  add(value: number): void {
    this.#n += 1;
    const gap = value - this.#mean;
    this.#mean += gap / this.#n;
    this.#m2 += gap * (value - this.#mean);
  }

  moments(): ArmMoments {
    return { n: this.#n, mean: this.#mean, variance: this.#m2 / (this.#n - 1) };
  }
}
