import { requireNonNegative, requirePositive, requireProbability } from '../errors.ts';
import { normalQuantileSf, normalSf } from '../special/normal.ts';

/** How alpha (two-sided, in all) is spent along the information (Lan & DeMets 1983; §2.11). */
export type Spending =
  | { readonly kind: 'OBrienFleming' }
  | { readonly kind: 'Pocock' }
  | { readonly kind: 'Power'; readonly exponent: number };

/** Alpha spent until information fraction t: 0 at 0, all of it from 1 on. */
export function spentAlpha(spending: Spending, t: number, alpha: number): number {
  requireNonNegative('t', t);
  requireProbability('alpha', alpha);
  if (t === 0) return 0;
  if (t >= 1) return alpha;
  switch (spending.kind) {
    case 'OBrienFleming':
      return 4 * normalSf(normalQuantileSf(alpha / 4) / Math.sqrt(t));
    case 'Pocock':
      return alpha * Math.log1p((Math.E - 1) * t);
    case 'Power':
      return alpha * t ** requirePositive('exponent', spending.exponent);
  }
}
