import type { WrkReport } from './wrk.ts';

/** One run against one server. */
export interface Run extends WrkReport {
  /** Processor time of the server a request, microseconds. */
  readonly cpuUs: number;
}

/** Both servers in one round, one after the other. */
export interface Round {
  readonly ours: Run;
  readonly peer: Run | undefined;
}

export interface Comparison {
  /** Medians over the rounds. */
  readonly measured: Run;
  readonly peer: Run | undefined;
  /** Median over the rounds of ours by the peer's of the same round: a slow moment of the machine is both's. */
  readonly timesPeer: number | undefined;
  readonly p99Share: number | undefined;
}

export function compare(rounds: readonly Round[]): Comparison {
  const paired = rounds.flatMap(({ ours, peer }) => (peer ? [{ ours, peer }] : []));
  const isPaired = paired.length > 0;
  return {
    measured: medianRun(rounds.map(({ ours }) => ours)),
    peer: isPaired ? medianRun(paired.map(({ peer }) => peer)) : undefined,
    timesPeer: isPaired ? rounded(median(paired.map(({ ours, peer }) => ours.perSecond / peer.perSecond))) : undefined,
    p99Share: isPaired ? rounded(median(paired.map(({ ours, peer }) => ours.p99Ms / peer.p99Ms))) : undefined,
  };
}

function medianRun(runs: readonly Run[]): Run {
  const of = (read: (run: Run) => number) => rounded(median(runs.map(read)));
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    maxMs: Math.max(...runs.map(({ maxMs }) => maxMs)),
    failed: runs.reduce((sum, { failed }) => sum + failed, 0),
    cpuUs: of(({ cpuUs }) => cpuUs),
  };
}

/** A value that was measured: of an even number the higher of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const rounded = (value: number): number => Number(value.toFixed(3));
