import { type Code, SluiceError } from '../../base/errors.ts';

type StatsCode = Extract<Code, `SLUICE_STATS_${string}`>;

/** An error of core/stats, to throw: `throw statsError('SLUICE_STATS_TOO_FEW', '...', { n })`. */
export function statsError(code: StatsCode, message: string, facts: SluiceError['facts'] = {}): SluiceError {
  return new SluiceError(code, message, facts);
}

function refuse(name: string, value: number, wanted: string): never {
  throw statsError('SLUICE_STATS_ARGUMENT', `${name} must be ${wanted}, not ${value}`, { name, value });
}

/** The guards return their value, so that a call can stand where the value is used. All throw SLUICE_STATS_ARGUMENT. */
export function requireFinite(name: string, value: number): number {
  return Number.isFinite(value) ? value : refuse(name, value, 'a finite number');
}

/** Finite and > 0. */
export function requirePositive(name: string, value: number): number {
  return Number.isFinite(value) && value > 0 ? value : refuse(name, value, 'a finite number above 0');
}

/** Finite and ≥ 0. */
export function requireNonNegative(name: string, value: number): number {
  return Number.isFinite(value) && value >= 0 ? value : refuse(name, value, 'a finite number of at least 0');
}

/** A probability that decides something: strictly inside (0, 1), and not so small that a share of it underflows. */
export function requireProbability(name: string, value: number): number {
  return value >= 1e-300 && value < 1 ? value : refuse(name, value, 'inside (0, 1), at least 1e-300');
}

/** A probability or share that may reach its ends: inside [0, 1]. */
export function requireUnitInterval(name: string, value: number): number {
  return value >= 0 && value <= 1 ? value : refuse(name, value, 'inside [0, 1]');
}

/** A count of things: an integer ≥ 0 that a double holds exactly. */
export function requireCount(name: string, value: number): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : refuse(name, value, 'an integer of at least 0');
}

/** Not NaN; infinities pass, for functions that have a limit there. */
export function requireNumber(name: string, value: number): number {
  return Number.isNaN(value) ? refuse(name, value, 'a number') : value;
}

/** Finite values in ascending order, without holes. */
export function requireSorted(values: readonly number[]): void {
  for (let i = 0; i < values.length; i++) {
    const value = requireFinite('value', values[i] as number);
    if (i > 0 && value < (values[i - 1] as number)) {
      throw statsError('SLUICE_STATS_ARGUMENT', 'values must be sorted', { index: i });
    }
  }
}
