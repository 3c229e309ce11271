/**
 * log(1 + x) − x for x > −1, to full relative accuracy also where the two nearly cancel (the exponent of every density
 * near its mode). With r = x / (2 + x): log(1 + x) = 2 atanh(r), so the difference is r (2 r² (1/3 + r²/5 + …) − x).
 */
export function log1pmx(x: number): number {
  if (x < -0.6 || x > 1.5) return Math.log1p(x) - x;
  const r = x / (2 + x);
  const square = r * r;
  let sum = 0;
  let power = 1;
  for (let odd = 3; ; odd += 2) {
    const term = power / odd;
    sum += term;
    if (term < 1e-17) break;
    power *= square;
  }
  return r * (2 * square * sum - x);
}

/**
 * log(ratio) − (ratio − 1), given both the ratio and its accurately computed excess over 1: minus the deviance of a
 * Poisson or binomial part (Loader 2000, "Fast and accurate computation of binomial probabilities").
 */
export function logRatioMinusExcess(ratio: number, excess: number): number {
  return Math.abs(excess) < 0.6 ? log1pmx(excess) : Math.log(ratio) - excess;
}
