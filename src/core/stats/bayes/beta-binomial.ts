import { requireCount, requirePositive, statsError } from '../errors.ts';
import { betaTail, logBetaWeight } from '../special/beta-tails.ts';
import { tailValue } from '../special/tail.ts';

/** A beta law of a proportion: a successes and b failures, prior included. */
export interface BetaLaw {
  readonly a: number;
  readonly b: number;
}

/** Below this a law has mass where x or 1 − x underflows. */
const leastShape = 0.05;
/** Beyond this neighbouring doubles are further apart than the law is wide. */
const largestShape = 1e15;

/** Jeffreys' prior Beta(1/2, 1/2): proper, and worth one unit. */
export const defaultProportionPrior: BetaLaw = { a: 0.5, b: 0.5 };

/** The law of an arm's proportion after its units: counts added to the prior. */
export function betaPosterior(
  arm: { readonly successes: number; readonly n: number },
  prior: BetaLaw = defaultProportionPrior,
): BetaLaw {
  requireCount('successes', arm.successes);
  requireCount('n', arm.n);
  if (arm.successes > arm.n) {
    throw statsError('SLUICE_STATS_ARGUMENT', `${arm.successes} successes of ${arm.n} units`, { n: arm.n });
  }
  return {
    a: requirePositive('prior a', prior.a) + arm.successes,
    b: requirePositive('prior b', prior.b) + arm.n - arm.successes,
  };
}

/**
 * P(first > second) for independent beta laws: the sharper law is integrated against the other's tail by the trapezoid rule in
 * ln(x / (1 − x)), where both are smooth (geometric convergence); error about 1e-12. For whole shapes it equals the sum of
 * Miller (2015) that §2.12 cites. Shapes from 0.05 to 1e15.
 */
export function chanceGreater(first: BetaLaw, second: BetaLaw): number {
  for (const shape of [first.a, first.b, second.a, second.b]) {
    if (!(requirePositive('shape', shape) >= leastShape && shape <= largestShape)) {
      const range = `${leastShape} to ${largestShape}`;
      throw statsError('SLUICE_STATS_ARGUMENT', `shapes must be from ${range}, not ${shape}`, { shape });
    }
  }
  const isFirstSharper = logitDeviation(first) <= logitDeviation(second);
  const [sharp, wide] = isFirstSharper ? [first, second] : [second, first];
  const step = logitDeviation(sharp) / 6;
  const centre = Math.log(sharp.a / sharp.b);
  let sum = 0;
  for (const direction of [1, -1] as const) {
    for (let i = direction === 1 ? 0 : 1; ; i++) {
      const u = centre + direction * i * step;
      const point = logistic(u);
      if (point.x === 0 || point.y === 0) break;
      const weight = Math.exp(logBetaWeight(sharp.a, sharp.b, point));
      // The density of ln(x / (1 − x)) falls off from its mode in both directions.
      if (weight * step < 1e-20) break;
      sum += weight * tailValue(betaTail(wide.a, wide.b, point), isFirstSharper);
    }
  }
  return Math.min(1, sum * step);
}

/** About the standard deviation of ln(x / (1 − x)), at most 1: the smoothness of the density there. */
const logitDeviation = ({ a, b }: BetaLaw) => Math.min(1, Math.sqrt(1 / a + 1 / b));

function logistic(u: number) {
  const shrink = Math.exp(-Math.abs(u));
  const [large, small] = [1 / (1 + shrink), shrink / (1 + shrink)];
  return u < 0 ? { x: small, y: large } : { x: large, y: small };
}

/** E max(second − first, 0): the proportion that is lost on average by choosing the first law (§2.12). */
export function expectedLoss(chosen: BetaLaw, other: BetaLaw): number {
  const mean = ({ a, b }: BetaLaw) => a / (a + b);
  const raised = ({ a, b }: BetaLaw) => ({ a: a + 1, b });
  const gained = mean(other) * chanceGreater(raised(other), chosen);
  return Math.max(0, gained - mean(chosen) * chanceGreater(other, raised(chosen)));
}
