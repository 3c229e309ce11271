import { machine } from '../harness/measure.ts';

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Of milliseconds, rounded to whole ones. A quantile is a value that was measured: the smallest that so many do not exceed. */
export function quantilesOf(ms: readonly number[]): Quantiles {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export interface Figure {
  /** Which row of the table. */
  readonly figure: string;
  /** Who was measured. */
  readonly contender: string;
  readonly version: string;
  readonly measured: object;
  /** Bounds from the table, in the units of `measured`; none for peers. */
  readonly target?: Readonly<Record<string, number>>;
  /** What was done, in a sentence. */
  readonly method: string;
  readonly settings: Readonly<Record<string, string | number>>;
}

/** One JSON line. `met` says whether every target holds. */
export function printFigure({ target, ...figure }: Figure): void {
  const measured = figure.measured as Readonly<Record<string, number>>;
  const met = target && Object.entries(target).every(([name, most]) => (measured[name] ?? Number.NaN) <= most);
  console.log(JSON.stringify({ bench: 'rollback', ...figure, ...(target ? { target, met } : {}), machine }));
}
