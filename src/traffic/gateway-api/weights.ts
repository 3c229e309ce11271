import { FULL_WEIGHT_BP, type WeightBp } from '../../base/units.ts';
import { MAX_WEIGHT } from './http-route.ts';

/** One rule's weights: what goes to the Rollout's pods, and what goes to other backends, in their order. */
export interface Weights {
  readonly share: number;
  readonly others: readonly number[];
}

/**
 * The same proportions with a share that divides into basis points; unchanged where it does already. `undefined` where no
 * integers up to 1,000,000 (HTTPBackendRef.weight) do that.
 */
export function inBasisPoints({ share, others }: Weights): Weights | undefined {
  if (share % FULL_WEIGHT_BP === 0) return { share, others };
  const lowest = inLowestTerms({ share, others });
  const factor = FULL_WEIGHT_BP / divisor(lowest.share, FULL_WEIGHT_BP);
  const scaled = { share: lowest.share * factor, others: lowest.others.map((weight) => weight * factor) };
  return Math.max(scaled.share, ...scaled.others) <= MAX_WEIGHT ? scaled : undefined;
}

/** The same proportions in the smallest integers. */
export function inLowestTerms({ share, others }: Weights): Weights {
  const common = others.reduce(divisor, share) || 1;
  return { share: share / common, others: others.map((weight) => weight / common) };
}

export function proportional(a: Weights, b: Weights): boolean {
  return (
    a.others.length === b.others.length &&
    a.others.every((weight, i) => weight * b.share === (b.others[i] ?? 0) * a.share) &&
    a.share > 0 === b.share > 0
  );
}

/** The canary's part of a share; rounded down where somebody left a share that does not divide. */
export const canaryPart = (share: number, canaryBp: WeightBp): number =>
  Math.floor((share * canaryBp) / FULL_WEIGHT_BP);

/** Greatest common divisor; that of 0 and n is n. */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
