import { requireCount, statsError } from '../errors.ts';
import type { ArmMean } from '../summaries/moments.ts';
import { varianceOfMean } from '../tests/welch.ts';

export interface WeightedArm {
  readonly mean: number;
  readonly standardError: number;
  /** Units of the arm in all epochs. */
  readonly n: number;
}

/**
 * Each arm's mean as if all epochs had had the same split: Σ (N_e / N) mean_e, N_e all units of epoch e (§2.15). Pooled means
 * are wrong as soon as weights and the metric's level both change with time (trap 17). `epochs[e][arm]`; every arm needs two
 * units in each epoch, which the floor is there for.
 */
export function epochWeightedArms(epochs: readonly (readonly ArmMean[])[]): readonly WeightedArm[] {
  const arms = epochs[0]?.length ?? 0;
  if (arms === 0) throw statsError('SLUICE_STATS_TOO_FEW', 'an analysis needs an epoch with arms', { needed: 1 });
  if (epochs.some((epoch) => epoch.length !== arms)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'every epoch must list the same arms', { arms });
  }
  const sizes = epochs.map((epoch) => epoch.reduce((sum, { n }) => sum + requireCount('n', n), 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return Array.from({ length: arms }, (_, arm) => {
    let [mean, variance, n] = [0, 0, 0];
    for (const [e, epoch] of epochs.entries()) {
      const here = epoch[arm] as ArmMean;
      const share = (sizes[e] as number) / total;
      variance += share * share * varianceOfMean(here);
      mean += share * here.mean;
      n += here.n;
    }
    return { mean, standardError: Math.sqrt(variance), n };
  });
}
