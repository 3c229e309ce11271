/** One line of evidence: how often something happened in so many simulated runs. */
export interface Row {
  readonly scenario: string;
  readonly method: string;
  /** What is counted. */
  readonly event: 'false alarm' | 'interval missed the truth' | 'false safety' | 'false decision' | 'found';
  readonly count: number;
  readonly runs: number;
  /** What the method promises; undefined where no promise is made. */
  readonly alpha?: number;
  /** Ours must keep its promise; a peer's number is shown for comparison. */
  readonly whose: 'ours' | 'peer';
  /** Median looks until it was found, with misses as the last look. */
  readonly medianLooks?: number;
}

/** Highest share of false alarms that still fits the promise: alpha + 3.1 standard errors (experiments.md). */
export const highestShare = (alpha: number, runs: number): number =>
  alpha + 3.1 * Math.sqrt((alpha * (1 - alpha)) / runs);

export const keepsPromise = ({ count, runs, alpha, whose }: Row): boolean =>
  whose === 'peer' || alpha === undefined || count / runs <= highestShare(alpha, runs);

/** Runs `once` so many times and counts, for each method, how often it fired and after how many looks. */
export function tally(
  runs: number,
  methods: readonly Omit<Row, 'count' | 'runs' | 'medianLooks'>[],
  once: (fire: (method: number, look: number) => void) => void,
  lastLook?: number,
): Row[] {
  const firedAt = methods.map((): number[] => []);
  for (let run = 0; run < runs; run++) {
    const fired = new Set<number>();
    once((method, look) => {
      if (fired.has(method)) return;
      fired.add(method);
      (firedAt[method] as number[]).push(look);
    });
  }
  return methods.map((method, i) => {
    const looks = firedAt[i] as number[];
    const row = { ...method, count: looks.length, runs };
    if (lastLook === undefined) return row;
    const all = [...looks, ...new Array<number>(runs - looks.length).fill(lastLook)].sort((a, b) => a - b);
    return { ...row, medianLooks: all[runs >> 1] as number };
  });
}
