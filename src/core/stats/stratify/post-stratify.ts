import { requireCount, requireFinite, requireNonNegative, statsError } from '../errors.ts';
import { type Moments, mergeMoments } from '../summaries/moments.ts';

/** Units of both arms in one stratum. */
export interface Stratum {
  readonly treatment: Moments;
  readonly control: Moments;
}

export interface Stratified {
  /** Treatment less control. */
  readonly estimate: number;
  readonly standardError: number;
  readonly n: number;
  /** Strata that were too thin to stand alone and went into the largest. */
  readonly merged: number;
}

/**
 * Post-stratified difference (Miratrix, Sekhon, Yu 2013; statistics.md §2.7): Σ w_k d_k with w_k = n_k / n, and variance
 * Σ w_k² var(d_k) + [Σ w_k d_k² − (Σ w_k d_k)²] / n for the random sizes. A stratum with under 2 units in an arm, or without
 * variance in one, is merged into the largest. Strata are attributes from before exposure. Throws SLUICE_STATS_TOO_FEW when all
 * together are too thin.
 */
export function postStratify(strata: readonly Stratum[]): Stratified {
  for (const { treatment, control } of strata) [treatment, control].forEach(requireArm);
  const { kept, merged } = mergeThin(strata);
  const n = kept.reduce((sum, stratum) => sum + sizeOf(stratum), 0);
  let estimate = 0;
  let variance = 0;
  for (const stratum of kept) {
    const weight = sizeOf(stratum) / n;
    estimate += weight * differenceOf(stratum);
    variance += weight * weight * (meanVariance(stratum.treatment) + meanVariance(stratum.control));
  }
  requireFinite('estimate', estimate);
  // Σ w d² − (Σ w d)², without the cancellation and with squares only of what strata differ by.
  for (const stratum of kept) {
    variance += ((sizeOf(stratum) / n) * (differenceOf(stratum) - estimate) ** 2) / n;
  }
  if (variance === 0) throw statsError('SLUICE_STATS_NO_VARIANCE', 'all values are equal inside every stratum', { n });
  return { estimate, standardError: Math.sqrt(requireFinite('variance', variance)), n, merged };
}

function mergeThin(strata: readonly Stratum[]): { kept: readonly Stratum[]; merged: number } {
  const thin = strata.filter((stratum) => !standsAlone(stratum));
  const rest = strata.filter(standsAlone);
  const home = rest.reduce<Stratum | undefined>((best, s) => (best && sizeOf(best) >= sizeOf(s) ? best : s), undefined);
  const joined = [...(home ? [home] : []), ...thin].reduce<Stratum | undefined>(
    (sum, s) => (sum ? mergeStrata(sum, s) : s),
    undefined,
  );
  if (!joined || Math.min(joined.treatment.n, joined.control.n) < 2) {
    throw statsError('SLUICE_STATS_TOO_FEW', 'each arm needs 2 units over all strata');
  }
  return {
    kept: [...rest.filter((stratum) => stratum !== home), joined],
    merged: home ? thin.length : thin.length - 1,
  };
}

const standsAlone = ({ treatment, control }: Stratum): boolean =>
  treatment.n >= 2 && control.n >= 2 && treatment.m2 > 0 && control.m2 > 0;

const mergeStrata = (a: Stratum, b: Stratum): Stratum => ({
  treatment: mergeMoments(a.treatment, b.treatment),
  control: mergeMoments(a.control, b.control),
});

const sizeOf = ({ treatment, control }: Stratum): number => treatment.n + control.n;
const differenceOf = ({ treatment, control }: Stratum): number => treatment.mean - control.mean;
const meanVariance = ({ n, m2 }: Moments): number => m2 / (n - 1) / n;

function requireArm({ n, mean, m2 }: Moments): void {
  requireCount('n', n);
  requireFinite('mean', mean);
  requireNonNegative('m2', m2);
}
