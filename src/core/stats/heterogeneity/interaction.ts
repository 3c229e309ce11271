import { requireFinite, requirePositive, statsError } from '../errors.ts';
import { chiSquareSf } from '../special/chi-square.ts';

/** The effect inside one stratum of a pre-registered dimension. */
export interface StratumEffect {
  readonly estimate: number;
  readonly standardError: number;
}

export interface Interaction {
  /** Cochran's Q: squared distances from the pooled effect, in standard errors. */
  readonly statistic: number;
  readonly df: number;
  /** Chance of a Q this large when all strata have the same effect. */
  readonly pValue: number;
  /** Inverse-variance mean. */
  readonly pooled: number;
  /** Variance of the true effects between strata, at least 0 (DerSimonian & Laird 1986). */
  readonly betweenVariance: number;
  /** What to show: each stratum's effect drawn towards the mean as far as the data allow no more (§2.21). */
  readonly shrunken: readonly StratumEffect[];
}

/**
 * Whether an effect differs between the strata of one dimension (§2.21). Adjust the p-values over dimensions by BH, and test only
 * dimensions that were registered before the start. Needs two strata.
 */
export function interactionTest(strata: readonly StratumEffect[]): Interaction {
  if (strata.length < 2) throw statsError('SLUICE_STATS_TOO_FEW', 'an interaction needs two strata', { needed: 2 });
  const precise = strata.map(({ estimate, standardError }) => ({
    estimate: requireFinite('estimate', estimate),
    variance: requirePositive('squared standard error', requirePositive('standardError', standardError) ** 2),
  }));
  const weights = precise.map(({ variance }) => 1 / variance);
  const total = sum(weights);
  const pooled = sum(precise.map(({ estimate }, i) => (weights[i] as number) * estimate)) / total;
  const distances = precise.map(({ estimate, variance }) => (estimate - pooled) ** 2 / variance);
  const statistic = requireFinite('statistic', sum(distances));
  const df = strata.length - 1;
  const betweenVariance = Math.max(0, (statistic - df) / (total - sum(weights.map((w) => w * w)) / total));
  return {
    statistic,
    df,
    pValue: chiSquareSf(statistic, df),
    pooled,
    betweenVariance,
    shrunken: shrink(precise, betweenVariance),
  };
}

/** Empirical-Bayes means under effects that scatter normally with `between` variance around their mean. */
function shrink(
  strata: readonly { readonly estimate: number; readonly variance: number }[],
  between: number,
): readonly StratumEffect[] {
  const weights = strata.map(({ variance }) => 1 / (variance + between));
  const mean = sum(strata.map(({ estimate }, i) => (weights[i] as number) * estimate)) / sum(weights);
  const meanVariance = 1 / sum(weights);
  return strata.map(({ estimate, variance }) => {
    const kept = between / (between + variance);
    return {
      estimate: mean + kept * (estimate - mean),
      standardError: Math.sqrt(kept * variance + (1 - kept) ** 2 * meanVariance),
    };
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
