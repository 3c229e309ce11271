import { requireFinite, requirePositive, requireProbability } from '../errors.ts';
import { normalQuantileSf, normalSf } from '../special/normal.ts';
import { tQuantileSf, tSf } from '../special/student-t.ts';

/** Which side counts as evidence: `TwoSided` splits alpha, the others spend all of it on one side and bound only there. */
export type Alternative = 'TwoSided' | 'Greater' | 'Less';

export interface TestPlan {
  /** Probability of a false positive, in (0, 1). A one-sided test at 0.025 bounds like a two-sided one at 0.05 (trap 19). */
  readonly alpha: number;
  /** Default `TwoSided`. */
  readonly alternative?: Alternative;
}

export interface EffectTest {
  readonly estimate: number;
  readonly standardError: number;
  /** Degrees of freedom of Student's t; Infinity for the normal law. */
  readonly df: number;
  /** (estimate − null) / standardError. */
  readonly statistic: number;
  readonly pValue: number;
  /** Confidence limits of level 1 − alpha; −Infinity or Infinity on the side that a one-sided test leaves open. */
  readonly lower: number;
  readonly upper: number;
}

/** Tests an approximately normal estimate against `nullEffect`, for one look fixed in advance. */
export function testEffect(
  effect: { readonly estimate: number; readonly standardError: number; readonly df?: number },
  plan: TestPlan,
  nullEffect = 0,
): EffectTest {
  const { estimate, standardError, df = Number.POSITIVE_INFINITY } = effect;
  const { alternative = 'TwoSided' } = plan;
  requireFinite('estimate', estimate);
  requirePositive('standardError', standardError);
  requireProbability('alpha', plan.alpha);
  const statistic = (estimate - requireFinite('nullEffect', nullEffect)) / standardError;
  const law = lawOf(df);
  const reach = standardError * law.quantileSf(alternative === 'TwoSided' ? plan.alpha / 2 : plan.alpha);
  return {
    estimate,
    standardError,
    df,
    statistic,
    pValue: pValueOf(law, statistic, alternative),
    lower: alternative === 'Less' ? Number.NEGATIVE_INFINITY : estimate - reach,
    upper: alternative === 'Greater' ? Number.POSITIVE_INFINITY : estimate + reach,
  };
}

interface SymmetricLaw {
  sf(x: number): number;
  quantileSf(q: number): number;
}

function lawOf(df: number): SymmetricLaw {
  if (df === Number.POSITIVE_INFINITY) return { sf: normalSf, quantileSf: normalQuantileSf };
  return { sf: (x) => tSf(x, df), quantileSf: (q) => tQuantileSf(q, df) };
}

/** Survival functions throughout: 1 − cdf would print p = 0 beyond 8 sigma (trap 5). */
function pValueOf(law: SymmetricLaw, statistic: number, alternative: Alternative): number {
  if (alternative === 'Greater') return law.sf(statistic);
  if (alternative === 'Less') return law.sf(-statistic);
  return 2 * law.sf(Math.abs(statistic));
}
