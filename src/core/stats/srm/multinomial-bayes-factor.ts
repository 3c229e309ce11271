import { requireNumber, requirePositive, statsError } from '../errors.ts';
import { dirichletEvidence } from '../sequential/dirichlet-evidence.ts';
import { logSumExp } from '../special/logsumexp.ts';
import { hasUnplannedUnits, requireAllocation } from './allocation.ts';

/** Prior weights ("units already seen in plan") over which the e-value is averaged: 10,000 alone misses 600 against 400. */
const defaultKappas: readonly number[] = [10, 100, 1_000, 10_000];

/**
 * ln of the Bayes factor of a Dirichlet(`concentration`) mixture against the planned shares, for a sequence of units with
 * these counts (Lindon and Malek 2020, arXiv 2011.03567; §2.13): a martingale of mean 1 while the shares are as planned.
 * Arms of share 0 must be empty; shares sum to 1; every weight of an arm with a share is > 0.
 */
export function logDirichletBayesFactor(
  counts: readonly number[],
  shares: readonly number[],
  concentration: readonly number[],
): number {
  requireAllocation(counts, shares);
  if (hasUnplannedUnits(counts, shares)) return Number.POSITIVE_INFINITY;
  const outcomes = shares.flatMap((share, arm) =>
    share > 0
      ? [{ share, count: counts[arm] ?? 0, prior: requirePositive('concentration', concentration[arm] ?? 0) }]
      : [],
  );
  return requireNumber('log Bayes factor', dirichletEvidence(outcomes));
}

/** ln of the e-value of one phase: Bayes factors with concentration κ θ, averaged over the kappas. */
export function logSrmEValue(
  counts: readonly number[],
  shares: readonly number[],
  kappas: readonly number[] = defaultKappas,
): number {
  if (kappas.length === 0) throw statsError('SLUICE_STATS_ARGUMENT', 'at least one kappa is needed');
  const logs = kappas.map((kappa) =>
    logDirichletBayesFactor(
      counts,
      shares,
      shares.map((share) => requirePositive('kappa', kappa) * share),
    ),
  );
  return logSumExp(logs) - Math.log(kappas.length);
}
