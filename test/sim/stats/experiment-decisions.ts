import { seededRandom } from '../../../src/base/random.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { decideExperiment } from '../../../src/core/stats/decide/experiment.ts';
import { meanGuardrailEvidence } from '../../../src/core/stats/decide/mean-guardrail.ts';
import { sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { logRatioLook } from '../../../src/core/stats/sequential/scales.ts';
import { rareBinomialDraw } from './draws.ts';
import { type Row, tally } from './row.ts';

const day = 86_400_000;
const days = 28;
const usersPerDay = 400;
const plan = { alpha: 0.05, plannedSampleSize: 2 * days * usersPerDay };

interface Truth {
  readonly conversion: readonly [control: number, treatment: number];
  readonly refunds: readonly [control: number, treatment: number];
}

/** A whole experiment, decided anew each day for 28 days: one primary, one guardrail with margin 0.5. */
export function experimentDecisions(runs: number): Row[] {
  const scenario = { whose: 'ours', alpha: 0.05 } as const;
  const ship = { event: 'false decision', method: 'Ship' } as const;
  const aa = 'whole experiment, A/A, decided daily';
  const edge = 'whole experiment, primary wins, guardrail at its margin';
  const real = 'whole experiment, conversion 8 → 10 %';
  return [
    ...simulate(runs, 701, { conversion: [0.08, 0.08], refunds: [0.04, 0.04] }, [
      { ...scenario, ...ship, scenario: aa, method: 'Ship, or Stop for a losing primary' },
      { ...scenario, event: 'false alarm', scenario: aa, method: 'Stop for a guardrail' },
    ]),
    ...simulate(runs, 702, { conversion: [0.08, 0.11], refunds: [0.04, 0.06] }, [
      { ...scenario, ...ship, scenario: edge },
      { ...scenario, event: 'false alarm', scenario: edge, method: 'Stop for a guardrail' },
    ]),
    ...simulate(runs, 703, { conversion: [0.08, 0.1], refunds: [0.04, 0.04] }, [
      { whose: 'ours', event: 'found', scenario: real, method: 'Ship' },
      { whose: 'ours', event: 'false alarm', scenario: real, method: 'Stop for a guardrail', alpha: 0.05 },
    ]),
  ];
}

function simulate(
  runs: number,
  seed: number,
  truth: Truth,
  methods: readonly Omit<Row, 'count' | 'runs' | 'medianLooks'>[],
): Row[] {
  const random = seededRandom(seed);
  return tally(
    runs,
    methods,
    (fire) => {
      const seen = { conversion: [0, 0], refunds: [0, 0] };
      let highest = Number.NEGATIVE_INFINITY;
      for (let today = 1; today <= days; today++) {
        for (const metric of ['conversion', 'refunds'] as const) {
          for (const arm of [0, 1] as const) {
            const counts = seen[metric];
            counts[arm] = (counts[arm] as number) + rareBinomialDraw(random, usersPerDay, truth[metric][arm]);
          }
        }
        const { decision, reason, loses, logE } = decideToday(seen, today, highest);
        highest = logE;
        if (decision === 'Ship' || loses) return fire(0, today);
        if (reason === 'GuardrailHarm') return fire(1, today);
      }
    },
    days,
  );
}

function decideToday(seen: { conversion: number[]; refunds: number[] }, today: number, highest: number) {
  const n = today * usersPerDay;
  const conversion = lookOf(seen.conversion, n);
  const { lower, upper, logE } = sequenceLook(conversion, plan);
  const evidence = meanGuardrailEvidence(lookOf(seen.refunds, n), { worse: 'Higher', margin: Math.log(1.5) }, plan);
  const best = Math.max(highest, logE);
  const exposures = [0, 1].map((arm) => ({
    arm: `${arm}`,
    units: n,
    conversions: Math.min(seen.conversion[arm] as number, seen.refunds[arm] as number),
  }));
  const { decision, reason } = decideExperiment({
    elapsed: (today * day) as DurationMs,
    minDuration: (7 * day) as DurationMs,
    maxDuration: (days * day) as DurationMs,
    sampleRatioP: 1,
    dataProblems: [],
    method: { kind: 'Sequential' },
    alpha: 0.05,
    harmAlpha: 0.05,
    safeAlpha: 0.05,
    exposures,
    treatments: [
      {
        arm: '1',
        primaries: [{ metric: 'conversion', lower, upper, mde: 0.02, logE: best }],
        guardrails: [{ metric: 'refunds', evidence: Math.min(...seen.refunds) < 25 ? undefined : evidence }],
      },
    ],
  });
  return { decision, reason, loses: decision === 'Stop' && reason === 'PrimaryLoses', logE: best };
}

function lookOf([control, treatment]: readonly number[], n: number) {
  const arm = (count: number) => ({ n, mean: count / n, variance: ((count / n) * (1 - count / n) * n) / (n - 1) });
  return logRatioLook(arm(treatment as number), arm(control as number));
}
