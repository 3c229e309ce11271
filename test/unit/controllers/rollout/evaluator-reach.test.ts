import { expect, test } from 'vitest';
import { EvaluatorReach } from '../../../../src/controllers/rollout/evaluator-reach.ts';
import { flagOf } from '../../../../src/core/rollout/sticky.ts';
import type { Ruleset } from '../../../../src/wire/ruleset.ts';

const stickiness = { unit: [{ cookie: 'sluice-unit' }] };
const flagAt = (name: string, weightBp: number) =>
  flagOf({ namespace: 'shop', name, flight: { hash: 'abc', stickiness, weightBp } });
const ruleset = (revision: number, weights: Record<string, number>) =>
  ({ revision, flags: Object.fromEntries(Object.entries(weights).map(([k, bp]) => [k, flagAt(k, bp)])) }) as Ruleset;

test('an evaluator counts for a weight from the first revision on that has it', () => {
  const reach = new EvaluatorReach();
  let running = [7, 6, -1];
  reach.lead(() => running);
  reach.published(ruleset(7, { web: 500, api: 100 }));
  expect(reach.of('web', flagAt('web', 500))).toEqual({ listening: 3, running: 1 });
  // News of another Rollout says nothing about this one.
  reach.published(ruleset(8, { web: 500, api: 200 }));
  expect(reach.of('web', flagAt('web', 500)).running).toBe(1);
  expect(reach.of('api', flagAt('api', 200)).running).toBe(0);
  running = [8, 8, 8];
  expect(reach.of('api', flagAt('api', 200)).running).toBe(3);
});

test('nobody runs what is not published yet, however new their revision', () => {
  const reach = new EvaluatorReach();
  reach.lead(() => [9]);
  reach.published(ruleset(9, { web: 500 }));
  expect(reach.of('web', flagAt('web', 2_500))).toEqual({ listening: 1, running: 0 });
  expect(reach.of('unknown', flagAt('unknown', 0))).toEqual({ listening: 1, running: 0 });
});

test('a replica that follows knows of nobody', () => {
  const reach = new EvaluatorReach();
  reach.lead(() => [9]);
  reach.published(ruleset(9, { web: 500 }));
  reach.follow();
  expect(reach.of('web', flagAt('web', 500))).toEqual({ listening: 0, running: 0 });
});
