import { statsError } from '../errors.ts';
import { brent } from '../special/roots.ts';

/** Doublings until a bracket is given up: 2^200 is far beyond every intrinsic time. */
const mostDoublings = 200;

/** The zero above `lo` of an increasing function with f(lo) < 0, searched from a first guess of its distance. */
export function growthRoot(f: (x: number) => number, lo: number, firstStep: number): number {
  let below = lo;
  let step = firstStep;
  for (let i = 0; i < mostDoublings; i++) {
    const above = below + step;
    if (f(above) >= 0) return brent(f, below, above);
    below = above;
    step *= 2;
  }
  throw statsError('SLUICE_STATS_NO_ROOT', 'the boundary has no finite solution', { lo });
}
