import { expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { AnswerTexts } from '../../../src/evaluator/answer-texts.ts';
import { evaluateAll, heldBy } from '../../../src/evaluator/evaluate-all.ts';
import { EvaluationCounts } from '../../../src/evaluator/evaluation-counts.ts';
import { EventStreams } from '../../../src/evaluator/event-stream.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

/** Each look at the clock takes `stepMs`. */
function portsWith(stepMs: number) {
  const still = new FakeClock(0);
  let now = 0;
  const clock = {
    now: () => {
      now += stepMs;
      return now as EpochMs;
    },
    after: still.after.bind(still),
  };
  const holder = new RulesetHolder({ clock: still, logger: silent });
  holder.take({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(rulesetWith({ a: flagWith() }))), live: true });
  const streams = new EventStreams(still, 1);
  return { holder, clock, logger: silent, counts: new EvaluationCounts(), streams, events: undefined };
}

const keys = Array(1_000).fill('a');

test('flags that take longer than a second are given up, with 429', () => {
  const ports = portsWith(300);
  const evaluate = () => evaluateAll(ports, heldBy(ports), new AnswerTexts(), { keys, context: {}, nowMs: 0 });
  expect(evaluate).toThrow(/^SLUICE_OVERLOADED: /);
});

test('flags that take less are all answered', () => {
  const ports = portsWith(10);
  const text = evaluateAll(ports, heldBy(ports), new AnswerTexts(), { keys, context: {}, nowMs: 0 });
  expect(JSON.parse(text)).toHaveLength(1_000);
});
