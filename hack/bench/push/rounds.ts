import { type Quantiles, quantilesOf } from '../rollback/figure.ts';
import type { Ran } from './subscriber-process.ts';

/** One change, and who ran it when. */
export interface Round {
  /** The change is sent to the API server. */
  readonly sentMs: number;
  readonly ran: readonly Ran[];
}

export interface PushFigures {
  /** From the change being sent until so many subscribers run it, of all rounds together, milliseconds. */
  readonly applied: Quantiles;
  /** The worst round's p99: 99 of 100 subscribers ran the change by then. */
  readonly worstRoundP99: number;
  /** From the ruleset being made by the operator. */
  readonly issued: Quantiles;
}

export function figuresOf(rounds: readonly Round[]): PushFigures {
  const applied = rounds.map(({ sentMs, ran }) => ran.map(({ atMs }) => atMs - sentMs));
  return {
    applied: quantilesOf(applied.flat()),
    worstRoundP99: Math.max(...applied.map((times) => quantilesOf(times).p99)),
    issued: quantilesOf(rounds.flatMap(({ ran }) => ran.map(({ atMs, issuedAtMs }) => atMs - issuedAtMs))),
  };
}
