import { seededRandom } from '../../../src/base/random.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { counterEvidence, observeCounter, startCounter } from '../../../src/core/stats/counters/counter-process.ts';
import type { CounterInterval } from '../../../src/core/stats/counters/interval.ts';
import { judgeGuardrail } from '../../../src/core/stats/decide/guardrail.ts';
import { normalDraws } from './draws.ts';
import { pollSource, type RolloutScenario, rolloutScenarios } from './rollout-scenarios.ts';
import { type Row, tally } from './row.ts';

const levels = { guardrails: 1, harmAlpha: 0.01, safeAlpha: 0.05 };
const [calm] = rolloutScenarios as [RolloutScenario];
const found = { event: 'found', whose: 'ours' } as const;
const lastPoll = 400;

/** Polls of 30 s until a fault that is there from the start is called harm, with the default margin of 0.5. */
export function delayFromStart(runs: number): Row[] {
  return [2, 3, 5, 10].flatMap((ratio, i) => delay(runs, ratio, 0, 601 + i));
}

/** The same for a fault that begins after some hours of good history: with restarts, and with one run only. */
export function delayAfterHistory(runs: number): Row[] {
  return [60, 240, 480].flatMap((goodPolls, i) => delay(runs, 3, goodPolls, 611 + i));
}

function delay(runs: number, ratio: number, goodPolls: number, seed: number): Row[] {
  const random = seededRandom(seed);
  const normal = normalDraws(random);
  const scenario =
    goodPolls === 0 ? `errors ×${ratio} from the start` : `errors ×${ratio} after ${goodPolls / 120} h of good history`;
  const methods = [
    { ...found, scenario, method: 'rollout guardrail' },
    { ...found, whose: 'peer' as const, scenario, method: 'one run, no restarts' },
  ];
  return tally(
    runs,
    goodPolls === 0 ? methods.slice(0, 1) : methods,
    (fire) => {
      const draw = pollSource(calm, { ratio, fromPoll: goodPolls }, 1, random, normal);
      const waiting = new Set(goodPolls === 0 ? [0] : [0, 1]);
      const starts = [startCounter({ relative: 0.5 }), startCounter({ relative: 0.5 })];
      for (let poll = 0; poll < goodPolls + lastPoll && waiting.size > 0; poll++) {
        const interval = draw(poll);
        for (const i of waiting) {
          // Without time there is no restart.
          const seen: CounterInterval = i === 0 ? interval : { ...interval, duration: 0 as DurationMs };
          const state = observeCounter(starts[i] as (typeof starts)[0], seen);
          starts[i] = state;
          if (judgeGuardrail(counterEvidence(state), levels).state !== 'Harm') continue;
          waiting.delete(i);
          // A false alarm in the good stretch counts as found at once.
          fire(i, Math.max(0, poll + 1 - goodPolls));
        }
      }
    },
    lastPoll,
  );
}

/** Polls of 30 s until a healthy canary is proven safe in one step. */
export function timeToSafety(runs: number): Row[] {
  return [0.3, 0.5, 1].flatMap((margin, i) => {
    const random = seededRandom(621 + i);
    const normal = normalDraws(random);
    return tally(
      runs,
      [{ ...found, scenario: `healthy canary, margin ${margin}`, method: 'rollout guardrail: Safe' }],
      (fire) => {
        const draw = pollSource(calm, { ratio: 1 }, 1, random, normal);
        let state = startCounter({ relative: margin });
        for (let poll = 1; poll <= lastPoll; poll++) {
          state = observeCounter(state, draw(poll));
          if (judgeGuardrail(counterEvidence(state), levels).state === 'Safe') return fire(0, poll);
        }
      },
      lastPoll,
    );
  });
}
