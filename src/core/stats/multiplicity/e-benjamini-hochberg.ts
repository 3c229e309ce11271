import { requireNumber, requireProbability } from '../errors.ts';

/**
 * e-BH (Wang and Ramdas 2022; §2.14): which hypotheses to reject at false discovery rate `alpha`, in input order. Valid
 * under any dependence, so it suits e-processes of many metrics that are looked at any time. Takes ln E, because E overflows.
 * Rejects the k largest for the largest k whose k-th largest E is at least m / (alpha k).
 */
export function eBenjaminiHochberg(logEValues: readonly number[], alpha: number): boolean[] {
  requireProbability('alpha', alpha);
  for (const logE of logEValues) requireNumber('log e-value', logE);
  const count = logEValues.length;
  const descending = [...logEValues].sort((a, b) => b - a);
  let cut = Number.POSITIVE_INFINITY;
  descending.forEach((logE, index) => {
    if (logE >= Math.log(count / (alpha * (index + 1)))) cut = logE;
  });
  // Values equal to the cut are rejected together: every one of them passes the same comparison at its own, larger k.
  return logEValues.map((logE) => logE >= cut);
}
