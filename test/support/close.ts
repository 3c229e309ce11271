import { expect } from 'vitest';

/** Asserts |got − want| ≤ tolerance · |want|; exact equality for 0 and infinities. */
export function expectRelative(got: number, want: number, tolerance: number, what = ''): void {
  const error = got === want ? 0 : Math.abs(got - want) / Math.abs(want);
  expect(error, `${what}: got ${got}, want ${want}`).toBeLessThanOrEqual(tolerance);
}

/** Asserts |got − want| ≤ tolerance. */
export function expectAbsolute(got: number, want: number, tolerance: number, what = ''): void {
  const error = got === want ? 0 : Math.abs(got - want);
  expect(error, `${what}: got ${got}, want ${want}`).toBeLessThanOrEqual(tolerance);
}
