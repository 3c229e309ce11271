import { expect, test } from 'vitest';
import { figuresOf } from '../../../../../hack/bench/push/rounds.ts';

const ranAfter = (sentMs: number, times: readonly number[]) => ({
  sentMs,
  ran: times.map((ms, index) => ({
    subscriber: `pod-${index}`,
    revision: 2,
    issuedAtMs: sentMs + 5,
    atMs: sentMs + ms,
  })),
});

test('times run from the change being sent and from the ruleset being made', () => {
  const { applied, issued } = figuresOf([ranAfter(1_000, [10, 20]), ranAfter(5_000, [30])]);
  expect(applied).toEqual({ count: 3, p50: 20, p99: 30, max: 30 });
  expect(issued).toEqual({ count: 3, p50: 15, p99: 25, max: 25 });
});

test('the worst round counts, not the mean of all: in each, one of a hundred may be later', () => {
  const slow = Array.from({ length: 100 }, (_, index) => (index === 99 ? 9_000 : 800));
  const fast = Array.from({ length: 100 }, () => 50);
  expect(figuresOf([ranAfter(0, fast), ranAfter(0, slow), ranAfter(0, fast)]).worstRoundP99).toBe(800);
});
