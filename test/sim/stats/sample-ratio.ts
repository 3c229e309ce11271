import { seededRandom } from '../../../src/base/random.ts';
import { chiSquareSrm } from '../../../src/core/stats/srm/chi-square-srm.ts';
import { lookAtSrm, type PhaseCounts, startSrm } from '../../../src/core/stats/srm/srm-process.ts';
import { poissonDraw } from './draws.ts';
import { type Row, tally } from './row.ts';

const shares = [0.5, 0.5];
const hours = 720;

/** Statistics.md finding 4: 30 days of hourly looks, 60 units an hour; with a new phase after 10 days and a dimension of days. */
export function sampleRatioAA(runs: number): Row[] {
  const scenario = 'sample ratio as planned, 720 hourly looks';
  const random = seededRandom(401);
  const ours = { scenario, event: 'false alarm', whose: 'ours' } as const;
  return tally(
    runs,
    [
      { ...ours, method: 'sequential, p < 0.01', alpha: 0.01 },
      { ...ours, method: 'sequential with phases and days, p < 0.01', alpha: 0.01 },
      { ...ours, method: 'sequential with phases and days, p < 0.001', alpha: 0.001 },
      { ...ours, whose: 'peer', method: 'chi-square at 0.01 at each look', alpha: 0.01 },
      { ...ours, whose: 'peer', method: 'chi-square at 0.001 at each look', alpha: 0.001 },
    ],
    (fire) => {
      const total = [0, 0];
      const phases = [0, 1].map(() => ({ shares, counts: [0, 0] }));
      const days = Array.from({ length: 30 }, () => [0, 0]);
      let plain = startSrm();
      let full = startSrm();
      for (let hour = 0; hour < hours; hour++) {
        const phase = (hour < 240 ? phases[0] : phases[1]) as { counts: number[] };
        const day = days[Math.floor(hour / 24)] as number[];
        for (const arm of [0, 1]) {
          const units = poissonDraw(random, 30);
          for (const counts of [total, phase.counts, day]) counts[arm] = (counts[arm] as number) + units;
        }
        const { pValue } = chiSquareSrm(total, shares);
        if (pValue < 0.01) fire(3, hour);
        if (pValue < 0.001) fire(4, hour);
        const one = lookAtSrm(plain, { phases: [{ shares, counts: total }], dimensions: [], cells: [] });
        plain = one.state;
        if (one.pValue < 0.01) fire(0, hour);
        if (hour % 24 !== 23) continue;
        const cells = days
          .slice(0, Math.floor(hour / 24) + 1)
          .map((counts, i) => ({ dimension: 'day', order: i + 1, phases: [{ shares, counts }] }));
        const seen: PhaseCounts[] = hour < 240 ? phases.slice(0, 1) : phases;
        const both = lookAtSrm(full, { phases: seen, dimensions: ['day'], cells });
        full = both.state;
        if (both.pValue < 0.01) fire(1, hour);
        if (both.pValue < 0.001) fire(2, hour);
      }
    },
  );
}

/** A treatment that loses 5 % of its units, 600 an hour: how many hours until p < 0.001. */
export function sampleRatioLoss(runs: number): Row[] {
  const scenario = 'treatment loses 5 % of its units, 600 an hour';
  const random = seededRandom(402);
  return tally(
    runs,
    [{ scenario, event: 'found', whose: 'ours', method: 'sequential, p < 0.001' }],
    (fire) => {
      const counts = [0, 0];
      let state = startSrm();
      for (let hour = 1; hour <= 168; hour++) {
        counts[0] = (counts[0] as number) + poissonDraw(random, 300);
        counts[1] = (counts[1] as number) + poissonDraw(random, 285);
        const look = lookAtSrm(state, { phases: [{ shares, counts }], dimensions: [], cells: [] });
        state = look.state;
        if (look.verdict === 'SampleRatioMismatch') return fire(0, hour);
      }
    },
    168,
  );
}
