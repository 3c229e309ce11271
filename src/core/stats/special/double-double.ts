/** A value as the unevaluated sum hi + lo, |lo| at most half a unit in the last place of hi: about 32 digits. */
export interface DoubleDouble {
  readonly hi: number;
  readonly lo: number;
}

const splitter = 2 ** 27 + 1;
const splitLimit = 2 ** 996;

/** a + b without error (Knuth, TAOCP 2, 4.2.2). */
export function twoSum(a: number, b: number): DoubleDouble {
  const hi = a + b;
  const bPart = hi - a;
  return { hi, lo: a - (hi - bPart) + (b - bPart) };
}

/** a · b without error (Dekker 1971, Veltkamp split); beyond 2^996, where the split overflows, lo is 0. */
export function twoProduct(a: number, b: number): DoubleDouble {
  const hi = a * b;
  if (Math.abs(a) > splitLimit || Math.abs(b) > splitLimit || !Number.isFinite(hi)) return { hi, lo: 0 };
  const aScaled = splitter * a;
  const aHi = aScaled - (aScaled - a);
  const aLo = a - aHi;
  const bScaled = splitter * b;
  const bHi = bScaled - (bScaled - b);
  const bLo = b - bHi;
  return { hi, lo: aLo * bLo - (hi - aHi * bHi - aLo * bHi - aHi * bLo) };
}

/** exp(−x²/2) with full relative accuracy: x² is squared exactly before the exponential. */
export function expOfHalfSquare(x: number): number {
  const { hi, lo } = twoProduct(x, x);
  return Math.exp(-hi / 2) * Math.exp(-lo / 2);
}
