import { describe, expect, test } from 'vitest';
import { guardrailSchema } from '../../../../src/api/guardrail.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import { type GuardrailRule, judge, type SampleAnswer } from '../../../../src/core/guardrails/judge.ts';

const warning = 'No StoreAPIs matched for this query';

function rule(bounds: object, direction: GuardrailRule['direction'] = 'LowerIsBetter'): GuardrailRule {
  const guardrail = guardrailSchema.parse({ name: 'errors', metric: 'errors', ...bounds });
  const { max, min, maxIncreaseOverStable } = guardrail;
  return { guardrail, direction, bounds: { max, min, maxIncreaseOverStable }, windowMs: 60_000 as DurationMs };
}

const value = (number: number, more: object = {}): SampleAnswer => ({ kind: 'Value', value: number, ...more });

function judgeAll(of: GuardrailRule, ...answers: SampleAnswer[]) {
  return answers.reduce<ReturnType<typeof judge> | undefined>(
    (before, answer, index) => judge(of, before, { at: (1_000 * (index + 1)) as EpochMs, answer }),
    undefined,
  );
}

describe('an answer with a warning that data may be missing', () => {
  test('is no evidence where it would be safe, and says why', () => {
    expect(judgeAll(rule({ max: 1 }), value(0, { warning }))).toMatchObject({
      verdict: 'NoEvidence',
      reason: 'PartialData',
      message: `data may be missing: ${warning}`,
      value: 0,
      silentSince: 1_000,
    });
  });

  test('spends budget where what was seen is above the maximum', () => {
    const twice = [value(2, { warning }), value(2, { warning })];
    expect(judgeAll(rule({ max: 1 }), ...twice.slice(1))).toMatchObject({ reason: 'BudgetNotSpent' });
    expect(judgeAll(rule({ max: 1 }), ...twice)).toMatchObject({ verdict: 'Harm' });
    expect(judgeAll(rule({ max: 1, severity: 'Critical' }), value(2, { warning }))).toMatchObject({ verdict: 'Harm' });
  });

  test.each([
    ['too low', rule({ min: 5, severity: 'Critical' }), value(1, { warning })],
    [
      'worse than stable',
      rule({ maxIncreaseOverStable: { relative: 0.1 }, severity: 'Critical' }),
      value(9, { stable: 1, warning }),
    ],
  ])('is no harm where it is only %s: the missing data alone can explain that', (_, of, answer) => {
    expect(judgeAll(of, answer)).toMatchObject({ verdict: 'NoEvidence', reason: 'PartialData', outOfBounds: [] });
  });

  test('neither spends the budget nor earns it back', () => {
    const state = judgeAll(rule({ max: 1 }), value(2), value(0, { warning }), value(2));
    expect(state).toMatchObject({ verdict: 'Harm', outOfBounds: [true, true] });
  });
});

test('silence keeps the time since when it lasts, and that since when it is of its kind', () => {
  const of = rule({ max: 1 });
  const empty: SampleAnswer = { kind: 'NoEvidence', reason: 'EmptyResult', message: 'no series' };
  const down: SampleAnswer = { kind: 'ProviderDown', reason: 'Refused', message: 'refused' };
  const since = (...answers: SampleAnswer[]) => {
    const { silentSince, sameSilenceSince } = judgeAll(of, ...answers) ?? {};
    return [silentSince, sameSilenceSince];
  };
  expect(since(empty, empty)).toEqual([1_000, 1_000]);
  expect(since(down, down, empty, value(0, { warning }))).toEqual([1_000, 3_000]);
  expect(since(down, value(0), down)).toEqual([3_000, 3_000]);
  expect(since(value(2), empty, empty)).toEqual([2_000, 2_000]);
  expect(since(value(0))).toEqual([undefined, undefined]);
});
