import { requireFinite, statsError } from '../errors.ts';
import { requireDesign, type SwitchbackDesign } from './design.ts';

export interface SwitchbackEffect {
  /** Effect per period. */
  readonly estimate: number;
  /** A bound of the estimate's variance that holds on average (conservative by 1.6). */
  readonly variance: number;
}

/**
 * Unbiased effect of a switchback by inverse probabilities (Bojinov, Simchi-Levi, Zhao 2023; §2.18), with its conservative
 * variance. Only periods whose last carryOver + 1 assignments agree count.
 *
 * `baseline` is what each period would have been without the experiment (a forecast, or the mean before it) and is subtracted
 * first: inverse probabilities turn the level of the outcomes into variance, ten times the noise's own in ordinary data
 * (trap 21). It must not depend on the experiment's outcomes; 0 is for outcomes that are centred already.
 */
export function horvitzThompson(
  design: SwitchbackDesign,
  run: { readonly outcomes: readonly number[]; readonly assignment: readonly boolean[] },
  baseline: readonly number[] | number,
): SwitchbackEffect {
  requireDesign(design);
  const { blocks, carryOver } = design;
  const periods = blocks * carryOver;
  const levels = typeof baseline === 'number' ? run.outcomes.map(() => baseline) : baseline;
  if ([run.outcomes, run.assignment, levels].some(({ length }) => length !== periods)) {
    throw statsError('SLUICE_STATS_ARGUMENT', `the design has ${periods} periods`, { periods });
  }
  const sums = Array.from({ length: blocks }, (_, k) => {
    let sum = 0;
    for (let t = k * carryOver; t < (k + 1) * carryOver; t++) {
      sum += requireFinite('outcome', run.outcomes[t] as number) - requireFinite('baseline', levels[t] as number);
    }
    return sum;
  });
  const arms = Array.from({ length: blocks }, (_, k) => run.assignment[k * carryOver] as boolean);
  const weight = periods - carryOver;
  return { estimate: estimateOf(sums, arms) / weight, variance: varianceOf(sums, arms) / weight ** 2 };
}

/** Blocks 1 and n − 1 share their coin with a neighbour: probability 1/2 there, 1/4 between. */
function estimateOf(sums: readonly number[], arms: readonly boolean[]): number {
  let total = 0;
  for (let k = 1; k < sums.length; k++) {
    if (arms[k] !== arms[k - 1]) continue;
    const inverse = k === 1 || k === sums.length - 1 ? 2 : 4;
    total += (arms[k] ? inverse : -inverse) * (sums[k] as number);
  }
  return total;
}

function varianceOf(sums: readonly number[], arms: readonly boolean[]): number {
  const last = sums.length - 1;
  let total = 8 * (sums[1] as number) ** 2 + 8 * (sums[last] as number) ** 2;
  for (let k = 1; k < last; k++) {
    const here = sums[k] as number;
    if (k > 1 && arms[k] === arms[k - 1]) total += 32 * here * here;
    if (arms[k] === arms[k + 1]) total += 16 * here * (sums[k + 1] as number);
  }
  return Math.max(0, total);
}
