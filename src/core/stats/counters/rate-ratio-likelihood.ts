import type { CounterInterval } from './interval.ts';

/** How much worse than the margin the harm alternatives are (statistics.md §2.19). */
const harmSteps: readonly number[] = [1.1, 1.25, 1.5, 2, 3, 5, 10];
/** Rate ratios of the non-inferiority alternatives: as good as stable, or better. */
const safeRatios: readonly number[] = [1, 0.9, 0.75, 0.5];

/**
 * Given how many errors both arms had together, the canary's share of them is binomial with q = R_c e^δ / (R_c e^δ + R_s), δ the
 * log rate ratio: shared shocks and weight changes cancel (§2.19; Lindon and Malek 2022). The product of these ratios has mean
 * ≤ 1 also where requests fail independently with any probability, however common (decisions/0041).
 */
export function harmLogRatios(interval: CounterInterval, margin: number): number[] {
  const base = Math.log1p(margin);
  return harmSteps.map((step) => logLikelihoodRatio(interval, base + Math.log(step), base));
}

/** The same against "the rate ratio is at least 1 + margin". */
export function safeLogRatios(interval: CounterInterval, margin: number): number[] {
  const base = Math.log1p(margin);
  return safeRatios.map((ratio) => logLikelihoodRatio(interval, Math.log(ratio), base));
}

export const harmAlternatives = harmSteps.length;
export const safeAlternatives = safeRatios.length;

/** The canary's error rate is above (1 + margin) times stable's in this interval alone. */
export function pointsToHarm(interval: CounterInterval, margin: number): boolean {
  const { canaryErrors, stableErrors, canaryRequests, stableRequests } = interval;
  return canaryErrors * stableRequests > (1 + margin) * stableErrors * canaryRequests;
}

/** ln of the binomial likelihood at log rate ratio `alternative` over that at `base`. */
function logLikelihoodRatio(interval: CounterInterval, alternative: number, base: number): number {
  const offset = Math.log(interval.canaryRequests / interval.stableRequests);
  return (
    interval.canaryErrors * (logShare(offset + alternative) - logShare(offset + base)) +
    interval.stableErrors * (logShare(-offset - alternative) - logShare(-offset - base))
  );
}

/** ln of the canary's share at log odds x. */
const logShare = (x: number): number => (x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x)));
