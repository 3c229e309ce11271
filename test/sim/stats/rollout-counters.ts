import { seededRandom } from '../../../src/base/random.ts';
import {
  type CounterState,
  counterEvidence,
  enterCounterStep,
  observeCounter,
  startCounter,
} from '../../../src/core/stats/counters/counter-process.ts';
import type { CounterInterval } from '../../../src/core/stats/counters/interval.ts';
import { logMixtureEvidence } from '../../../src/core/stats/counters/restarted-mixture.ts';
import { judgeGuardrail } from '../../../src/core/stats/decide/guardrail.ts';
import { sequenceLook } from '../../../src/core/stats/sequential/confidence-sequence.ts';
import { normalDraws } from './draws.ts';
import { pollSource, type RolloutScenario, rolloutScenarios } from './rollout-scenarios.ts';
import { type Row, tally } from './row.ts';

const polls = 120;
const levels = { guardrails: 1, harmAlpha: 0.01, safeAlpha: 0.05 };
const states = (state: CounterState) => judgeGuardrail(counterEvidence(state), levels).state;

const promiseOf =
  ({ promised }: RolloutScenario) =>
  (alpha: number): { alpha?: number } =>
    promised ? { alpha } : {};

/** The canary's weight changes with these polls in the ramp: steps of a quarter of the run. */
const stepAt = (scenario: RolloutScenario, poll: number): boolean =>
  poll > 0 && scenario.weight(poll / polls) !== scenario.weight((poll - 1) / polls);

/** No effect, margin 0: the table of statistics.md §2.19 and the rollout default of alpha 0.01. */
export function countersNoEffect(runs: number): Row[] {
  return rolloutScenarios.flatMap((scenario, i) => noEffect(scenario, runs, 501 + i));
}

function noEffect(scenario: RolloutScenario, runs: number, seed: number): Row[] {
  const random = seededRandom(seed);
  const normal = normalDraws(random);
  const ours = { scenario: scenario.name, event: 'false alarm', whose: 'ours' } as const;
  const promise = promiseOf(scenario);
  return tally(
    runs,
    [
      { ...ours, method: 'rollout guardrail, alpha 0.01', ...promise(0.01) },
      { ...ours, method: 'corrected e-process, alpha 0.05', ...promise(0.05) },
      // Without shocks of its own in each arm it needs no correction: P(sup E ≥ 1 / alpha) ≤ alpha is a theorem there.
      {
        ...ours,
        whose: scenario.ownVariation === 0 ? 'ours' : 'peer',
        method: 'e-process without correction, alpha 0.05',
        alpha: 0.05,
      },
      { ...ours, method: 'sequence over poll intervals (two-sided), alpha 0.05', alpha: 0.05 },
      { ...ours, whose: 'peer', method: 'z test of pooled rates at each poll', alpha: 0.05 },
    ],
    (fire) => {
      const draw = pollSource(scenario, { ratio: 1 }, polls, random, normal);
      const pooled = new Pooled();
      let state = startCounter({ relative: 0 });
      for (let poll = 0; poll < polls; poll++) {
        if (stepAt(scenario, poll)) state = enterCounterStep(state);
        const interval = draw(poll);
        state = observeCounter(state, interval);
        pooled.add(interval);
        const [side] = counterEvidence(state).sides as [ReturnType<typeof counterEvidence>['sides'][number]];
        if (states(state) === 'Harm') fire(0, poll);
        if (!side.warmingUp && side.logHarm >= Math.log(20)) fire(1, poll);
        if (state.ratio && logMixtureEvidence(state.ratio.harm, 1) >= Math.log(20)) fire(2, poll);
        if (pooled.intervalsAlarm()) fire(3, poll);
        if (pooled.z() > 1.645) fire(4, poll);
      }
    },
  );
}

/** At the margin: the canary is exactly 1.5 times as bad, which is still allowed, and never may be called safe. */
export function countersAtMargin(runs: number): Row[] {
  return rolloutScenarios.flatMap((scenario, i) => {
    const random = seededRandom(521 + i);
    const normal = normalDraws(random);
    const promise = promiseOf(scenario);
    const name = { scenario: `${scenario.name}, at the margin`, whose: 'ours' } as const;
    return tally(
      runs,
      [
        { ...name, event: 'false alarm', method: 'rollout guardrail, margin 0.5', ...promise(0.01) },
        { ...name, event: 'false safety', method: 'rollout guardrail, margin 0.5, one step', ...promise(0.05) },
      ],
      (fire) => {
        const draw = pollSource(scenario, { ratio: 1.5 }, polls, random, normal);
        let harm = startCounter({ relative: 0.5 });
        let safe = harm;
        for (let poll = 0; poll < polls; poll++) {
          const interval = draw(poll);
          if (stepAt(scenario, poll)) harm = enterCounterStep(harm);
          harm = observeCounter(harm, interval);
          safe = observeCounter(safe, interval);
          if (states(harm) === 'Harm') fire(0, poll);
          if (states(safe) === 'Safe') fire(1, poll);
        }
      },
    );
  });
}

/** The absolute form at its limit: the canary has exactly 1 error in 10,000 requests. */
export function countersAtAbsoluteLimit(runs: number): Row[] {
  const [calm] = rolloutScenarios as [RolloutScenario];
  const scenario = { ...calm, requestsPerPoll: 60_000, rate: () => 1e-4 };
  const random = seededRandom(541);
  const normal = normalDraws(random);
  const name = { scenario: 'maxPer10k = 1, canary exactly there', whose: 'ours' } as const;
  return tally(
    runs,
    [
      { ...name, event: 'false alarm', method: 'absolute form', alpha: 0.01 },
      { ...name, event: 'false safety', method: 'absolute form', alpha: 0.05 },
      { ...name, event: 'false alarm', method: 'both margins', alpha: 0.01 },
    ],
    (fire) => {
      const draw = pollSource(scenario, { ratio: 1 }, polls, random, normal);
      let alone = startCounter({ maxPer10k: 1 });
      let both = startCounter({ relative: 0.5, maxPer10k: 1 });
      for (let poll = 0; poll < polls; poll++) {
        const interval = draw(poll);
        alone = observeCounter(alone, interval);
        both = observeCounter(both, interval);
        const state = states(alone);
        if (state === 'Harm') fire(0, poll);
        if (state === 'Safe') fire(1, poll);
        if (states(both) === 'Harm') fire(2, poll);
      }
    },
  );
}

/** What a peer pools over all polls, and the mean of per-interval rate differences. */
class Pooled {
  readonly #differences = { n: 0, mean: 0, m2: 0 };
  #sum: CounterInterval | undefined;

  add(interval: CounterInterval): void {
    const before = this.#sum;
    this.#sum = before
      ? {
          canaryErrors: before.canaryErrors + interval.canaryErrors,
          stableErrors: before.stableErrors + interval.stableErrors,
          canaryRequests: before.canaryRequests + interval.canaryRequests,
          stableRequests: before.stableRequests + interval.stableRequests,
          duration: before.duration,
        }
      : interval;
    const value = interval.canaryErrors / interval.canaryRequests - interval.stableErrors / interval.stableRequests;
    const d = this.#differences;
    d.n += 1;
    const gap = value - d.mean;
    d.mean += gap / d.n;
    d.m2 += gap * (value - d.mean);
  }

  z(): number {
    const { canaryErrors, stableErrors, canaryRequests, stableRequests } = this.#sum as CounterInterval;
    const rate = (canaryErrors + stableErrors) / (canaryRequests + stableRequests);
    if (rate === 0) return 0;
    const spread = Math.sqrt(rate * (1 - rate) * (1 / canaryRequests + 1 / stableRequests));
    return (canaryErrors / canaryRequests - stableErrors / stableRequests) / spread;
  }

  /** From the 10th poll and 25 errors of the canary on, two-sided at 0.05 and tuned to 60 polls. */
  intervalsAlarm(): boolean {
    const { n, mean, m2 } = this.#differences;
    if (n < 10 || m2 === 0 || (this.#sum?.canaryErrors ?? 0) < 25) return false;
    const look = { estimate: mean, standardError: Math.sqrt(m2 / (n - 1) / n), n };
    return sequenceLook(look, { alpha: 0.05, plannedSampleSize: 60 }).pValue <= 0.05;
  }
}
