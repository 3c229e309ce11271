/** One tail of a distribution as exp(logScale) · factor, so that neither its value nor its log is lost to underflow. */
export interface Tail {
  readonly isLower: boolean;
  readonly logScale: number;
  readonly factor: number;
}

/** The probability of the wanted side. */
export function tailValue(tail: Tail, lower: boolean): number {
  const value = Math.min(1, Math.exp(tail.logScale) * tail.factor);
  return tail.isLower === lower ? value : 1 - value;
}

/** The log probability of the wanted side, finite also where the probability underflows. */
export function tailLog(tail: Tail, lower: boolean): number {
  const log = Math.min(0, tail.logScale + Math.log(tail.factor));
  if (tail.isLower === lower) return log;
  return log > -Math.LN2 ? Math.log(-Math.expm1(log)) : Math.log1p(-Math.exp(log));
}
