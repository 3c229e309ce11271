import type { Random } from '../../../src/base/random.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import type { CounterInterval } from '../../../src/core/stats/counters/interval.ts';
import { gammaShock, poissonDraw } from './draws.ts';

/** How a service behaves while a canary runs, at 30 s a poll. */
export interface RolloutScenario {
  readonly name: string;
  readonly requestsPerPoll: number;
  /** Stable's errors a request at a part (0 .. 1) of the run. */
  readonly rate: (part: number) => number;
  /** The canary's share of requests at a part of the run. */
  readonly weight: (part: number) => number;
  /** Coefficient of variation of a gamma shock that hits both arms of a poll, and of one for each arm. */
  readonly sharedVariation: number;
  readonly ownVariation: number;
  /** False where the correction is known not to hold: shown, so that nobody is surprised (decisions/0041). */
  readonly promised: boolean;
}

const calm = {
  requestsPerPoll: 6_000,
  rate: () => 0.005,
  weight: () => 0.1,
  sharedVariation: 0,
  ownVariation: 0,
  promised: true,
};

/** The scenarios of statistics.md §2.19, and two that are worse. */
export const rolloutScenarios: readonly RolloutScenario[] = [
  { ...calm, name: 'independent errors' },
  { ...calm, name: 'shared shocks, CV 1', sharedVariation: 1 },
  { ...calm, name: 'bursts in each arm, CV 0.5', ownVariation: 0.5 },
  {
    ...calm,
    name: 'drift ×5 under a ramp 5 → 50 %',
    rate: (part) => 0.005 * (0.5 + 2 * part),
    weight: (part) => [0.05, 0.1, 0.25, 0.5][Math.min(3, Math.floor(4 * part))] as number,
  },
  { ...calm, name: 'few errors: 1 in two polls', rate: () => 0.5 / 6_000 },
  { ...calm, name: 'heavy bursts in each arm, CV 1.5', ownVariation: 1.5, promised: false },
];

export interface Fault {
  /** The canary's rate over stable's from the given poll on; before it the two are equal. */
  readonly ratio: number;
  readonly fromPoll?: number;
}

/** Draws polls one after the other. */
export function pollSource(
  scenario: RolloutScenario,
  fault: Fault,
  polls: number,
  random: Random,
  normal: () => number,
) {
  const shock = (variation: number): number => (variation === 0 ? 1 : gammaShock(random, normal, variation));
  return (poll: number): CounterInterval => {
    const part = poll / polls;
    const canaryRequests = Math.round(scenario.requestsPerPoll * scenario.weight(part));
    const stableRequests = scenario.requestsPerPoll - canaryRequests;
    const rate = scenario.rate(part) * shock(scenario.sharedVariation);
    const ratio = poll >= (fault.fromPoll ?? 0) ? fault.ratio : 1;
    return {
      canaryErrors: poissonDraw(random, canaryRequests * rate * ratio * shock(scenario.ownVariation)),
      stableErrors: poissonDraw(random, stableRequests * rate * shock(scenario.ownVariation)),
      canaryRequests,
      stableRequests,
      duration: 30_000 as DurationMs,
    };
  };
}
