import { countSequences, normalWalk, quantileSequences } from './boundaries.ts';
import { conversionAA, conversionEffect } from './conversions.ts';
import { experimentDecisions } from './experiment-decisions.ts';
import { heavyTails } from './revenue.ts';
import { countersAtAbsoluteLimit, countersAtMargin, countersNoEffect } from './rollout-counters.ts';
import { delayAfterHistory, delayFromStart, timeToSafety } from './rollout-delay.ts';
import type { Row } from './row.ts';
import { sampleRatioAA, sampleRatioLoss } from './sample-ratio.ts';

export interface Chapter {
  readonly title: string;
  readonly about: string;
  readonly parts: readonly ((runs: number) => Row[])[];
}

/** Everything that is simulated. Seeds are fixed, so the same number of runs gives the same numbers. */
export const suite: readonly Chapter[] = [
  {
    title: 'Experiments: conversions',
    about:
      'A/A at 1 % conversion with a look every 100 users an arm, N* = 5,000; then a true effect with daily looks. Decisions use the absolute or the log-ratio scale after 25 conversions an arm. The delta method on relative lift, which others use by default, breaks its promise early.',
    parts: [conversionAA, conversionEffect],
  },
  {
    title: 'Experiments: heavy tails',
    about: '5 % of users pay a log-normal amount (σ = 1.8). A look every 200 users an arm up to 16,000.',
    parts: [heavyTails],
  },
  {
    title: 'Boundaries',
    about: 'Each boundary under its own null, watched all along.',
    parts: [normalWalk, countSequences, quantileSequences],
  },
  {
    title: 'Sample ratio',
    about:
      'Units counted every hour for 30 days. The chi-square test is made for one look; the sequential test for any number.',
    parts: [sampleRatioAA, sampleRatioLoss],
  },
  {
    title: 'Rollouts: no effect',
    about:
      'Canary and stable fail alike; 120 polls of 30 s, 200 requests a second, 0.5 % errors, 10 % weight, margin 0. "Heavy bursts" are independent gamma shocks of CV 1.5 in each arm and poll: there the correction does not hold its level and no promise is made (decisions/0041).',
    parts: [countersNoEffect],
  },
  {
    title: 'Rollouts: exactly at the margin',
    about:
      'The canary is as bad as is just allowed: 1.5 times stable, or 1 error in 10,000 requests. It may be called neither harmful nor safe.',
    parts: [countersAtMargin, countersAtAbsoluteLimit],
  },
  {
    title: 'Rollouts: delay',
    about:
      'Polls of 30 s until a fault is called harm (margin 0.5, alpha 0.01), and until a healthy canary is proven safe.',
    parts: [delayFromStart, delayAfterHistory, timeToSafety],
  },
  {
    title: 'Whole experiments',
    about:
      'The decision table, run anew each day for 28 days: 400 users an arm and day, one primary, one guardrail with margin 0.5.',
    parts: [experimentDecisions],
  },
];
