const step = 1 / 16;

/**
 * ∫₀^∞ exp(logRatio(s)) ds for a smooth, decreasing, log-concave integrand with logRatio(0) = 0 whose width is about
 * `scale`; −Infinity beyond the end of a finite range. Double-exponential rule s = scale · exp(t − exp(−t)) (Takahasi &
 * Mori 1974): all terms are positive, so the sum keeps relative accuracy, about 1e-15, at a fixed cost of some 130 terms.
 */
export function tailIntegral(logRatio: (s: number) => number, scale: number): number {
  let sum = 0;
  for (let t = -3.75; t < 8; t += step) {
    const shrink = Math.exp(-t);
    const s = scale * Math.exp(t - shrink);
    const term = Math.exp(logRatio(s)) * s * (1 + shrink);
    if (t > 0 && term < 1e-18 * sum) break;
    sum += term;
  }
  return sum * step;
}
