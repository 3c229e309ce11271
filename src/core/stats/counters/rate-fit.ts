import type { CounterInterval } from './interval.ts';

/** Sufficient statistics for one constant error rate of the canary and Pearson's chi-square at it. JSON. */
export interface RateFit {
  readonly intervals: number;
  readonly errors: number;
  readonly requests: number;
  /** Σ e² / R. */
  readonly squares: number;
}

export const emptyRateFit: RateFit = { intervals: 0, errors: 0, requests: 0, squares: 0 };

export function addToRateFit(fit: RateFit, { canaryErrors, canaryRequests }: CounterInterval): RateFit {
  return {
    intervals: fit.intervals + 1,
    errors: fit.errors + canaryErrors,
    requests: fit.requests + canaryRequests,
    squares: fit.squares + canaryErrors ** 2 / canaryRequests,
  };
}

/** Σ (e − λR)² / (λR) at λ = Σe / ΣR, which is Σe²/R / λ − Σe; 0 without errors. */
export const ratePearson = ({ errors, requests, squares }: RateFit): number =>
  errors === 0 ? 0 : Math.max(0, (squares * requests) / errors - errors);
