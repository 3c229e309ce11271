import { requireFinite, statsError } from '../errors.ts';
import { covariance, type JointMoments } from '../summaries/joint-moments.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { requireMoments } from './covariate-moments.ts';
import { solveSymmetric } from './solve.ts';

export interface Cuped {
  /** One coefficient a covariate, the same for all arms. */
  readonly theta: readonly number[];
  /** Adjusted; means are centred on the covariate mean of all arms, so their size stays that of the metric. */
  readonly arms: readonly ArmMean[];
  /** Pooled variance after adjustment over before; 1 when the covariates add nothing. */
  readonly varianceRatio: number;
}

/**
 * CUPED (Deng, Xu, Kohavi, Walker 2013; statistics.md §2.6) with **one** theta for the metric: co-moments are centred inside
 * each arm and pooled over all arms, so that theta never picks up the effect, and control is the same in every comparison.
 * Pass `theta` to keep the one that was fixed earlier: sequential looks then stay exactly valid.
 */
export function cuped(arms: readonly JointMoments[], theta?: readonly number[]): Cuped {
  const size = requireMoments(arms);
  const used = theta ?? pooledTheta(arms, size);
  if (used.length !== size - 1) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'there must be one theta for each covariate', { theta: used.length });
  }
  for (const value of used) requireFinite('theta', value);
  // The metric less its prediction is a linear form of the components.
  return adjust(arms, [1, ...used.map((value) => -value)], used);
}

/** Applies a linear form to every arm, centred on the grand mean of the components after the first. */
function adjust(arms: readonly JointMoments[], form: readonly number[], theta: readonly number[]): Cuped {
  const units = arms.reduce((sum, { n }) => sum + n, 0);
  const grand = form.map((_, i) => arms.reduce((sum, { n, means }) => sum + ((means[i] as number) * n) / units, 0));
  const adjusted = arms.map((arm): ArmMean => {
    const mean = form.reduce((sum, weight, i) => {
      const centre = i === 0 ? 0 : (grand[i] as number);
      return sum + weight * ((arm.means[i] as number) - centre);
    }, 0);
    return { n: arm.n, mean: requireFinite('adjusted mean', mean), variance: varianceOfForm(arm, form) };
  });
  const before = pooled(arms.map((arm) => ({ n: arm.n, variance: covariance(arm, 0, 0) })));
  const varianceRatio = before === 0 ? 1 : requireFinite('variance ratio', pooled(adjusted) / before);
  return { theta, arms: adjusted, varianceRatio };
}

/** Variance of Σ form_i v_i for one unit. There is one weight for each value of the unit. */
export function varianceOfForm(arm: JointMoments, form: readonly number[]): number {
  requireMoments([arm], form.length);
  for (const weight of form) requireFinite('weight', weight);
  let sum = 0;
  let size = 0;
  for (let i = 0; i < form.length; i++) {
    for (let j = 0; j < form.length; j++) {
      const term = (form[i] as number) * (form[j] as number) * covariance(arm, i, j);
      sum += term;
      size += Math.abs(term);
    }
  }
  // Rounding may leave a crumb below 0 when the covariates explain all; more than that no units can have.
  if (sum < -1e-6 * size) {
    throw statsError('SLUICE_STATS_ARGUMENT', `covariances that give a variance of ${sum} contradict each other`, {
      sum,
    });
  }
  return requireFinite('adjusted variance', Math.max(0, sum));
}

function pooledTheta(arms: readonly JointMoments[], size: number): number[] {
  const pool = (i: number, j: number): number => arms.reduce((sum, { comoments }) => sum + (comoments[i]?.[j] ?? 0), 0);
  const covariates = Array.from({ length: size - 1 }, (_, i) => i + 1);
  return solveSymmetric(
    covariates.map((i) => covariates.map((j) => pool(i, j))),
    covariates.map((i) => pool(i, 0)),
  );
}

const pooled = (arms: readonly { readonly n: number; readonly variance: number }[]): number =>
  arms.reduce((sum, { n, variance }) => sum + (n - 1) * variance, 0);
