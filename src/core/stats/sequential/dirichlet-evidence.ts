import { stirlingError } from '../special/log-gamma.ts';
import { logRatioMinusExcess } from '../special/log1pmx.ts';

/** One outcome of a multinomial trial. */
export interface Outcome {
  /** Probability under the null, > 0; they sum to 1. */
  readonly share: number;
  /** Weight of the Dirichlet prior, > 0. */
  readonly prior: number;
  /** Times seen, ≥ 0. */
  readonly count: number;
}

/**
 * ln of the likelihood ratio of a Dirichlet mixture against fixed shares, for one sequence with these counts. No guard.
 *
 *   ln Γ(A) − ln Γ(A+n) + Σ [ln Γ(aᵢ+nᵢ) − ln Γ(aᵢ)] − Σ nᵢ ln θᵢ
 *
 * Written so, all digits are lost at 1e12 counts. Here the main terms of Stirling's formula are joined into divergences, which
 * are small where the counts fit the shares.
 */
export function dirichletEvidence(outcomes: readonly Outcome[]): number {
  const after = gammaShape(outcomes.map(({ share, prior, count }) => ({ share, mass: prior + count })));
  return after - gammaShape(outcomes.map(({ share, prior }) => ({ share, mass: prior })));
}

/** Σ ln Γ(mᵢ) − ln Γ(M) − Σ mᵢ ln θᵢ, up to a constant of the number of outcomes, without large terms that cancel. */
function gammaShape(cells: readonly { readonly share: number; readonly mass: number }[]): number {
  const total = cells.reduce((sum, cell) => sum + cell.mass, 0);
  let shape = 0.5 * Math.log(total) - stirlingError(total);
  for (const { share, mass } of cells) {
    const expected = total * share;
    const ratio = mass / expected;
    const excess = (mass - expected) / expected;
    // mᵢ ln(mᵢ / (M θᵢ)) less its linear part, which sums to 0 over the outcomes.
    const divergence = expected * (ratio * logRatioMinusExcess(ratio, excess) + excess * excess);
    shape += divergence - 0.5 * Math.log(mass) + stirlingError(mass);
  }
  return shape;
}
