import { requireFinite, requireProbability, statsError } from '../errors.ts';
import { criticalValue, type PowerPlan } from '../power/power-plan.ts';
import { normalCdf } from '../special/normal.ts';
import { brent } from '../special/roots.ts';
import { advance, massBelow, scoreAtStart } from './score-density.ts';
import { type Spending, spentAlpha } from './spending.ts';

/**
 * Non-binding futility bounds by beta spending (§2.11; gsDesign's test.type 4): stop when Z falls to the bound or below. The
 * efficacy bounds were found without them, so ignoring a futility bound never raises the false positive rate. `drift` is the
 * expected Z at t = 1 under the effect that the design is for. A bound never passes the efficacy bound of its look.
 */
export function futilityBounds(
  looks: readonly { readonly t: number; readonly bound: number }[],
  design: { readonly drift: number; readonly beta: number; readonly spending: Spending },
): readonly number[] {
  requireFinite('drift', design.drift);
  requireProbability('beta', design.beta);
  const lowers: number[] = [];
  let density = scoreAtStart;
  let spent = 0;
  for (const { t, bound } of looks) {
    if (!(t > density.t)) throw statsError('SLUICE_STATS_ARGUMENT', 'information must grow', { t, before: density.t });
    const root = Math.sqrt(t);
    const target = spentAlpha(design.spending, t, design.beta) - spent;
    const excess = (z: number) => massBelow(density, t, z * root, design.drift) - target;
    const lowest = -20;
    let lower = bound;
    if (excess(lowest) >= 0) lower = lowest;
    else if (excess(bound) > 0) lower = brent(excess, lowest, bound, { tolerance: 1e-10 });
    spent += massBelow(density, t, lower * root, design.drift);
    density = advance(density, t, lower * root, bound * root, design.drift);
    lowers.push(lower);
  }
  return lowers;
}

/**
 * Probability to be significant at the end, given Z at information fraction t in (0, 1) and the drift θ from here on: the
 * designed effect, or Z/√t for the trend so far. Φ((Z √t − z + θ (1 − t)) / √(1 − t)), z the final critical value.
 */
export function conditionalPower(
  now: { readonly z: number; readonly t: number },
  drift: number,
  plan: Pick<PowerPlan, 'alpha' | 'sides'>,
): number {
  requireProbability('t', now.t);
  const left = 1 - now.t;
  const expected = requireFinite('z', now.z) * Math.sqrt(now.t) + requireFinite('drift', drift) * left;
  return normalCdf((expected - criticalValue(plan)) / Math.sqrt(left));
}
