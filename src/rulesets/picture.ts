import type { EpochMs } from '../base/units.ts';
import type { Reach } from '../core/flags/observed.ts';

/** When an evaluator was first heard to run a revision. */
export interface Run {
  readonly revision: number;
  readonly at: EpochMs;
}

/** What one evaluator has said to one replica. */
export interface Said {
  /** When it last said something. */
  readonly at: EpochMs;
  /** What it said then that it runs. */
  readonly running: number;
  /** The oldest first, revisions growing. */
  readonly runs: readonly Run[];
}

/**
 * What one replica knows of a flag set. Stream and acknowledgements are connections of their own, so that one replica may have the stream of
 * an evaluator and another hear what it says: only all pictures together tell how far a ruleset has come.
 */
export interface Picture {
  /** Who listens here, and since when. */
  readonly streams: ReadonlyMap<string, EpochMs>;
  readonly said: ReadonlyMap<string, Said>;
  /** By key: when an evaluator last said that it was asked for it. */
  readonly evaluatedAt: ReadonlyMap<string, EpochMs>;
}

/** What is asked about. */
export interface Measured {
  /** The newest revision that was published. */
  readonly newest: number;
  /** By revision: when it was made. */
  readonly issuedAt: ReadonlyMap<number, EpochMs>;
}

/** Clocks of two nodes: who said something this long before its stream began may have said it on that stream. */
const SKEW_MS = 5_000;

/** How far the rulesets of a flag set have come, by the pictures of all replicas. Who is seen twice counts once, where it came last. */
export function reachOf(pictures: readonly Picture[], { newest, issuedAt }: Measured): Reach {
  const since = new Map<string, EpochMs>();
  for (const { streams } of pictures) for (const [id, at] of streams) keepLater(since, id, at);
  const listeners = [...since].map(([id, connectedAt]) => ({
    connectedAt,
    said: pictures.flatMap(({ said }) => said.get(id) ?? []),
  }));
  const evaluatedAt = new Map<string, EpochMs>();
  for (const picture of pictures) for (const [key, at] of picture.evaluatedAt) keepLater(evaluatedAt, key, at);
  const secondsTo = (revision: number, madeAt: EpochMs) =>
    listeners.flatMap((listener) => secondsOf(listener, revision, madeAt, newest) ?? []);
  return {
    running: listeners.map((listener) => runningOf(listener, newest)),
    seconds: new Map([...issuedAt].map(([revision, madeAt]) => [revision, secondsTo(revision, madeAt)])),
    evaluatedAt,
  };
}

interface Listener {
  readonly connectedAt: EpochMs;
  readonly said: readonly Said[];
}

/** What it last said on this stream; a revision that nobody published is no progress. */
function runningOf({ connectedAt, said }: Listener, newest: number): number {
  const last = said.reduce<Said | undefined>((late, one) => (late && late.at >= one.at ? late : one), undefined);
  if (!last || last.at < connectedAt - SKEW_MS || last.running > newest) return -1;
  return last.running;
}

/** From the making of the ruleset, or from the evaluator's coming where that was later, until it ran that one or a newer one. */
function secondsOf({ connectedAt, said }: Listener, revision: number, madeAt: EpochMs, newest: number) {
  const times = said.flatMap(
    ({ runs }) => runs.find((run) => run.revision >= revision && run.revision <= newest)?.at ?? [],
  );
  if (times.length === 0) return undefined;
  const at = Math.min(...times);
  // It had it before it came back.
  const from = at < connectedAt ? madeAt : Math.max(madeAt, connectedAt);
  return Math.max(0, at - from) / 1000;
}

function keepLater(times: Map<string, EpochMs>, name: string, at: EpochMs): void {
  if (at > (times.get(name) ?? Number.NEGATIVE_INFINITY)) times.set(name, at);
}
