import { requireNumber, statsError } from '../errors.ts';

const branchPoint = -1 / Math.E;
/** 1/e − fl(1/e): the argument measured from the true branch point, not from its rounded value. */
const branchPointError = -1.2428753672788363e-17;

/** √(2(1 + e x)): the distance from the branch point in which both branches are analytic. */
function branchDistance(x: number): number {
  return Math.sqrt(Math.max(0, 2 * Math.E * (x - branchPoint + branchPointError)));
}

/** w = −1 + p − p²/3 + 11 p³/72 − …, DLMF 4.13.6 (p < 0 for the lower branch). */
function branchSeries(p: number): number {
  return -1 + p * (1 + p * (-1 / 3 + p * (11 / 72 + p * (-43 / 540 + p * (769 / 17280 + p * (-221 / 8505))))));
}

/** Halley steps on w eʷ = x (Corless et al. 1996, §5). */
function refine(start: number, x: number): number {
  let w = start;
  for (let step = 0; step < 20; step++) {
    const exp = Math.exp(w);
    const error = w * exp - x;
    const change = error / (exp * (w + 1) - ((w + 2) * error) / (2 * w + 2));
    w -= change;
    if (!(Math.abs(change) > 1e-15 * Math.abs(w))) break;
  }
  return w;
}

/** Principal branch: the w ≥ −1 with w eʷ = x, x ≥ −1/e. Near −1/e its error is absolute, about 1e-9 in w at the very end. */
export function lambertW0(x: number): number {
  requireNumber('x', x);
  if (x < branchPoint) throw statsError('SLUICE_STATS_ARGUMENT', `x must be at least −1/e, not ${x}`, { x });
  if (x === Number.POSITIVE_INFINITY || x === 0) return x;
  const p = branchDistance(x);
  if (p < 0.01) return branchSeries(p);
  if (x < 1) return refine(p < 1 ? branchSeries(p) : x / (1 + x), x);
  const log = Math.log(x);
  return lambertByLogs(x < 3 ? 0.75 : log - Math.log(log), log);
}

/** Newton steps on w + ln w = ln x, for large x. */
function lambertByLogs(start: number, logX: number): number {
  let w = start;
  for (let step = 0; step < 20; step++) {
    const change = (w + Math.log(w) - logX) / (1 + 1 / w);
    w -= change;
    if (!(Math.abs(change) > 1e-15 * Math.abs(w))) break;
  }
  return w;
}

/** Lower branch: the w ≤ −1 with w eʷ = x, −1/e ≤ x < 0. */
export function lambertWm1(x: number): number {
  requireNumber('x', x);
  if (x < branchPoint || x >= 0) {
    throw statsError('SLUICE_STATS_ARGUMENT', `x must be inside [−1/e, 0), not ${x}`, { x });
  }
  const p = branchDistance(x);
  if (p < 0.01) return branchSeries(-p);
  return p < 1 ? refine(branchSeries(-p), x) : lambertWm1Log(Math.log(-x));
}

/** lambertWm1(−exp(logMinusX)) for logMinusX ≤ −1, also where the exponential underflows. */
export function lambertWm1Log(logMinusX: number): number {
  requireNumber('logMinusX', logMinusX);
  if (logMinusX > -1) {
    throw statsError('SLUICE_STATS_ARGUMENT', `logMinusX must be at most −1, not ${logMinusX}`, { logMinusX });
  }
  if (logMinusX === Number.NEGATIVE_INFINITY) return logMinusX;
  if (logMinusX > -1.5) return lambertWm1(Math.max(-Math.exp(logMinusX), branchPoint));
  // u = −w > 1 solves u − ln u = −logMinusX
  const target = -logMinusX;
  let u = target + Math.log(target + Math.log(target));
  for (let step = 0; step < 30; step++) {
    const change = (u - Math.log(u) - target) / (1 - 1 / u);
    u -= change;
    if (!(Math.abs(change) > 1e-15 * u)) break;
  }
  return -u;
}
