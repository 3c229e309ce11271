import type { DurationMs } from '../../../base/units.ts';
import { requireNumber } from '../errors.ts';
import type { CounterInterval } from './interval.ts';

export type CounterArm = 'canary' | 'stable';

/** Raw cumulative counters of one process, as scraped: from the same scrape, of a pod that is past its warm-up. */
export interface CounterSample {
  readonly arm: CounterArm;
  /** What identifies the process, such as the pod's uid and the container. */
  readonly series: string;
  readonly requests: number;
  /** 0 when the process has requests but no error series yet: most libraries create it with the first error. */
  readonly errors: number;
}

interface Baseline {
  readonly requests: number;
  readonly errors: number;
  readonly pollsMissed: number;
}

/** What must be kept between polls. JSON. */
export interface PollState {
  readonly baselines: Readonly<Record<string, Baseline>>;
  /** Since the last interval that was handed out. */
  readonly open: CounterInterval;
}

export interface PollResult {
  readonly state: PollState;
  /** Undefined while an arm was not seen: its part comes with the next interval, never as a zero. */
  readonly interval: CounterInterval | undefined;
  /** Samples that were not numbers; they count as not seen. */
  readonly unusable: number;
}

/** Polls after which a process that is not seen any more is forgotten. */
const forgetAfter = 30;

const emptyInterval: CounterInterval = {
  canaryErrors: 0,
  stableErrors: 0,
  canaryRequests: 0,
  stableRequests: 0,
  duration: 0 as DurationMs,
};

/** Before the first poll. */
export const startPoll: PollState = { baselines: {}, open: emptyInterval };

/**
 * Turns raw counters into non-overlapping intervals (statistics.md §2.19). A new process gives its first sample as baseline; a
 * counter that fell was reset and started from 0; a process that was not seen brings its missing part with its next sample.
 */
export function pollCounters(state: PollState, samples: readonly CounterSample[], sincePoll: DurationMs): PollResult {
  const usable = samples.filter(
    ({ requests, errors }) => requests >= 0 && errors >= 0 && Number.isFinite(requests + errors),
  );
  for (const number of Object.values(state.open)) requireNumber('open interval', number);
  let open: CounterInterval = {
    ...state.open,
    duration: (state.open.duration + requireNumber('sincePoll', sincePoll)) as DurationMs,
  };
  const baselines: Record<string, Baseline> = {};
  for (const [series, baseline] of Object.entries(state.baselines)) {
    requireNumber(`baseline of ${series}`, baseline.requests + baseline.errors);
    const pollsMissed = baseline.pollsMissed + 1;
    if (pollsMissed <= forgetAfter) baselines[series] = { ...baseline, pollsMissed };
  }
  for (const sample of usable) {
    const { series, requests, errors } = sample;
    const before = state.baselines[series];
    if (before) open = addDelta(open, sample, before);
    baselines[series] = { requests, errors, pollsMissed: 0 };
  }
  const unusable = samples.length - usable.length;
  if (!bothSeen(usable, state) || hasErrorsOnly(open))
    return { state: { baselines, open }, interval: undefined, unusable };
  return { state: { baselines, open: emptyInterval }, interval: open, unusable };
}

function addDelta(open: CounterInterval, sample: CounterSample, before: Baseline): CounterInterval {
  // One process keeps both counters, so one that fell means that both started from 0.
  const reset = sample.requests < before.requests || sample.errors < before.errors;
  const requests = reset ? sample.requests : sample.requests - before.requests;
  const errors = reset ? sample.errors : sample.errors - before.errors;
  return sample.arm === 'canary'
    ? { ...open, canaryRequests: open.canaryRequests + requests, canaryErrors: open.canaryErrors + errors }
    : { ...open, stableRequests: open.stableRequests + requests, stableErrors: open.stableErrors + errors };
}

/** Each arm has a process that gave a difference, not only a first sample. */
const bothSeen = (samples: readonly CounterSample[], state: PollState): boolean =>
  (['canary', 'stable'] as const).every((arm) => samples.some((s) => s.arm === arm && state.baselines[s.series]));

/** Errors were scraped before their requests: they belong together, so the interval stays open. */
const hasErrorsOnly = (open: CounterInterval): boolean =>
  (open.canaryErrors > 0 && open.canaryRequests === 0) || (open.stableErrors > 0 && open.stableRequests === 0);
