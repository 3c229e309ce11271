import { requireFinite, statsError } from '../errors.ts';
import { covariance, type JointMoments } from '../summaries/joint-moments.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { requireMoments } from './covariate-moments.ts';
import { varianceOfForm } from './cuped.ts';

/** Components of a ratio's moments, per unit: numerator, denominator, and both of the period before. */
const parts = 4;

export interface RatioCuped {
  readonly theta: number;
  /** Mean is the adjusted ratio, centred on the pre-period ratio of all arms; variance is the delta method's, of one unit. */
  readonly arms: readonly ArmMean[];
}

/**
 * CUPED for a ratio metric R = Σ num / Σ den by R_post − θ R_pre (statistics.md §2.6), in the delta method's linear form
 * (num − R den) / mean den (Deng, Knoblich, Lu 2018, §2.3). θ is the pooled within-arm covariance of the two linear forms over the
 * variance of the second; without variance before, θ is 0 and the plain ratio is left. Denominator means must be > 0.
 */
export function ratioCuped(arms: readonly JointMoments[], theta?: number): RatioCuped {
  requireMoments(arms, parts);
  const forms = arms.map((arm) => ({ arm, post: linear(arm, 0), pre: linear(arm, 2) }));
  const used = theta === undefined ? pooledTheta(forms) : requireFinite('theta', theta);
  const units = arms.reduce((sum, { n }) => sum + n, 0);
  const centre = forms.reduce((sum, { arm, pre }) => sum + ((pre.ratio ?? 0) * arm.n) / units, 0);
  return {
    theta: used,
    arms: forms.map(({ arm, post, pre }) => ({
      n: arm.n,
      mean: requireFinite('adjusted ratio', requireRatio(post.ratio) - used * ((pre.ratio ?? centre) - centre)),
      variance: varianceOfForm(
        arm,
        post.form.map((weight, i) => weight - used * (pre.form[i] as number)),
      ),
    })),
  };
}

interface LinearForm {
  readonly ratio: number | undefined;
  readonly form: readonly number[];
}

/** Numerator at `at`, denominator next to it. A denominator of mean 0 has no ratio and no weight. */
function linear({ means }: JointMoments, at: 0 | 2): LinearForm {
  const denominator = means[at + 1] as number;
  if (!(denominator > 0)) return { ratio: undefined, form: [0, 0, 0, 0] };
  const ratio = (means[at] as number) / denominator;
  const weights = [1 / denominator, -ratio / denominator];
  return { ratio, form: at === 0 ? [...weights, 0, 0] : [0, 0, ...weights] };
}

function pooledTheta(forms: readonly { arm: JointMoments; post: LinearForm; pre: LinearForm }[]): number {
  let cross = 0;
  let square = 0;
  for (const { arm, post, pre } of forms) {
    cross += (arm.n - 1) * bilinear(arm, post.form, pre.form);
    square += (arm.n - 1) * bilinear(arm, pre.form, pre.form);
  }
  return square > 0 ? requireFinite('theta', cross / square) : 0;
}

function bilinear(arm: JointMoments, left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, a, i) => sum + right.reduce((inner, b, j) => inner + a * b * covariance(arm, i, j), 0), 0);
}

function requireRatio(ratio: number | undefined): number {
  if (ratio !== undefined) return ratio;
  throw statsError('SLUICE_STATS_BASELINE', 'a ratio needs a denominator with a mean above 0');
}
