import { cuped } from '../../../src/core/stats/cuped/cuped.ts';
import { sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { absoluteLook } from '../../../src/core/stats/sequential/scales.ts';
import { chiSquareSf } from '../../../src/core/stats/special/chi-square.ts';
import { tSf } from '../../../src/core/stats/special/student-t.ts';
import { jointMomentsOfSums } from '../../../src/core/stats/summaries/joint-moments.ts';
import { type ArmMean, armMean, armProportion, momentsOfSums } from '../../../src/core/stats/summaries/moments.ts';
import type { EffectTest } from '../../../src/core/stats/tests/effect-test.ts';
import { pooledProportionTest } from '../../../src/core/stats/tests/proportions.ts';
import { welchTest } from '../../../src/core/stats/tests/welch.ts';

/** Sums of one arm, as a warehouse returns them: y the metric, x the same before exposure. */
interface ArmSums {
  readonly n: number;
  readonly y: number;
  readonly yy: number;
  readonly x: number;
  readonly xx: number;
  readonly xy: number;
  readonly successes: number;
}

/** One input for every analysis; the peers get the same, as JSON. */
interface Case {
  readonly control: ArmSums;
  readonly treatment: ArmSums;
  readonly t: number;
  readonly chiSquare: number;
  readonly df: number;
}

const plan = { alpha: 0.05 };
const sequencePlan = { alpha: 0.05, plannedSampleSize: 5_000 };

/** Inputs whose answers lie where tests are decided, |z| up to 4; 64 of them, so that no branch or number is learnt by heart. */
export const cases: readonly Case[] = Array.from({ length: 64 }, (_, i) => {
  const n = 1_000 + 137 * i;
  // Pre-period means agree: only then is the peer's theta, taken over both arms as one, the theta inside the arms.
  const control = armSums(n, 10, 4 + (i % 7) / 10, 0.11);
  const treatment = armSums(n + 50, 10 + 0.002 * (i + 3), 4 + (i % 5) / 10, 0.11 + 0.0003 * (i + 1));
  const df = 3 + 4 * i;
  return { control, treatment, t: 0.1 + i / 16, chiSquare: df + Math.sqrt(2 * df) * (i / 16 - 0.5), df };
});

function armSums(n: number, mean: number, variance: number, rate: number): ArmSums {
  const sums = (of: number, spread: number) => n * of * of + (n - 1) * spread;
  const before = 9.5;
  return {
    n,
    y: n * mean,
    yy: sums(mean, variance),
    x: n * before,
    xx: sums(before, 3.8),
    xy: n * mean * before + (n - 1) * 2.1,
    successes: Math.round(n * rate),
  };
}

const meanOf = ({ n, y, yy }: ArmSums): ArmMean => armMean(momentsOfSums({ n, sum: y, sumOfSquares: yy }));
const jointOf = ({ n, y, yy, x, xx, xy }: ArmSums) =>
  jointMomentsOfSums({
    n,
    sums: [y, x],
    products: [
      [yy, xy],
      [xy, xx],
    ],
  });
const shown = ({ pValue, lower, upper }: Pick<EffectTest, 'pValue' | 'lower' | 'upper'>) => [pValue, lower, upper];

/** From the sums of a case to the numbers that are compared: p-value and limits, or one tail. */
export const analyses: Readonly<Record<string, (input: Case) => readonly number[]>> = {
  welch: ({ treatment, control }) => shown(welchTest(meanOf(treatment), meanOf(control), plan)),
  proportions: ({ treatment, control }) =>
    shown(
      welchTest(armProportion(treatment.successes, treatment.n), armProportion(control.successes, control.n), plan),
    ),
  'proportions, pooled': ({ treatment, control }) => [pooledProportionTest(treatment, control, plan).pValue],
  cuped: ({ treatment, control }) => {
    const [adjustedT, adjustedC] = cuped([jointOf(treatment), jointOf(control)]).arms;
    return shown(welchTest(adjustedT as ArmMean, adjustedC as ArmMean, plan));
  },
  sequential: ({ treatment, control }) =>
    shown(sequenceLook(absoluteLook(meanOf(treatment), meanOf(control)), sequencePlan)),
  't tail': ({ t, df }) => [tSf(t, df)],
  'chi-square tail': ({ chiSquare, df }) => [chiSquareSf(chiSquare, df)],
};
