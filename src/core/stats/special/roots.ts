import { requireFinite, statsError } from '../errors.ts';

export interface BrentOptions {
  /** Absolute width of the final bracket beyond 4 units in the last place; default 1e-12. */
  readonly tolerance?: number;
  /** Default 200. */
  readonly maxIterations?: number;
}

/**
 * A zero of `f` between `lo` and `hi`, where f must change sign (Brent, Algorithms for Minimization without Derivatives,
 * 1973, ch. 4). Infinite values of f count by their sign; NaN, no change of sign or too many steps throw SLUICE_STATS_NO_ROOT.
 */
export function brent(f: (x: number) => number, lo: number, hi: number, options: BrentOptions = {}): number {
  const { tolerance = 1e-12, maxIterations = 200 } = options;
  let best = requireFinite('hi', hi);
  let other = requireFinite('lo', lo);
  let fBest = valueAt(f, best);
  let fOther = valueAt(f, other);
  if (fOther === 0) return other;
  if (fBest !== 0 && Math.sign(fBest) === Math.sign(fOther)) {
    throw statsError('SLUICE_STATS_NO_ROOT', `no change of sign between ${lo} and ${hi}`, { lo, hi });
  }
  let older = other;
  let fOlder = fOther;
  let step = best - other;
  let stepBefore = step;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (Math.sign(fBest) === Math.sign(fOther)) {
      other = older;
      fOther = fOlder;
      step = stepBefore = best - other;
    }
    if (Math.abs(fOther) < Math.abs(fBest)) {
      [older, best, other] = [best, other, best];
      [fOlder, fBest, fOther] = [fBest, fOther, fBest];
    }
    const width = 2 * Number.EPSILON * Math.abs(best) + tolerance / 2;
    const half = (other - best) / 2;
    if (Math.abs(half) <= width || fBest === 0) return best;
    [step, stepBefore] = nextStep({ best, older, half, fBest, fOlder, fOther, step, stepBefore, width, other });
    older = best;
    fOlder = fBest;
    best += Math.abs(step) > width ? step : Math.sign(half) * width;
    fBest = valueAt(f, best);
  }
  throw statsError('SLUICE_STATS_NO_ROOT', `no root within ${maxIterations} steps`, { lo, hi, maxIterations });
}

interface BrentState {
  readonly best: number;
  readonly older: number;
  readonly other: number;
  readonly half: number;
  readonly width: number;
  readonly fBest: number;
  readonly fOlder: number;
  readonly fOther: number;
  readonly step: number;
  readonly stepBefore: number;
}

/** Interpolation (secant or inverse quadratic) when it promises to converge, else bisection: [step, step before it]. */
function nextStep(at: BrentState): [number, number] {
  const { half, fBest, fOlder, fOther, width } = at;
  if (Math.abs(at.stepBefore) < width || Math.abs(fOlder) <= Math.abs(fBest) || !Number.isFinite(fOlder)) {
    return [half, half];
  }
  const s = fBest / fOlder;
  let p = 2 * half * s;
  let q = 1 - s;
  if (at.older !== at.other && Number.isFinite(fOther)) {
    const t = fOlder / fOther;
    const r = fBest / fOther;
    p = s * (2 * half * t * (t - r) - (at.best - at.older) * (r - 1));
    q = (t - 1) * (r - 1) * (s - 1);
  }
  if (p > 0) q = -q;
  p = Math.abs(p);
  const accepted = 2 * p < Math.min(3 * half * q - Math.abs(width * q), Math.abs(at.stepBefore * q));
  return accepted ? [p / q, at.step] : [half, half];
}

function valueAt(f: (x: number) => number, x: number): number {
  const value = f(x);
  if (Number.isNaN(value)) throw statsError('SLUICE_STATS_NO_ROOT', `the function is not a number at ${x}`, { x });
  return value;
}
