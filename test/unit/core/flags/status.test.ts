import { expect, test } from 'vitest';
import { featureFlagStatusSchema } from '../../../../src/api/feature-flag-status.ts';
import type { EpochMs } from '../../../../src/base/units.ts';
import type { ObservedFlag, Reach } from '../../../../src/core/flags/observed.ts';
import { nextStatus } from '../../../../src/core/flags/status.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z') as EpochMs;
const HOUR_MS = 3_600_000;

const reachOf = (parts: Partial<Reach> = {}): Reach => ({
  running: [],
  seconds: new Map(),
  evaluatedAt: new Map(),
  ...parts,
});

/** The status after a pass for a flag that has been in the ruleset since revision 5. */
function after(
  reach: Reach | undefined,
  status: Partial<ObservedFlag['status']> = {},
  changed = false,
  hasPodsWithout = false,
) {
  const flag: ObservedFlag = {
    source: { name: 'a', key: 'key-of-a', createdAt: '', form: undefined } as unknown as ObservedFlag['source'],
    generation: 1,
    status: {
      ...featureFlagStatusSchema.parse({ conditions: [] }),
      observedGeneration: 1,
      propagation: { desired: 5, acknowledged: 0, total: 0 },
      ...status,
    },
    ...{ spec: undefined, author: undefined, changedAt: undefined, purpose: undefined, expiresAt: undefined },
  };
  const verdict = { reason: 'Compiled', message: '', form: {} } as unknown as Parameters<
    typeof nextStatus
  >[1]['verdict'];
  return nextStatus(flag, { verdict, changed }, { revision: 9, refused: undefined, reach, hasPodsWithout }, NOW);
}

test('those who run the revision of the last change, or a newer one, have acknowledged it', () => {
  const { propagation } = after(reachOf({ running: [4, 5, 9, -1], seconds: new Map([[5, [0.2, 0.4]]]) }));
  expect(propagation).toEqual({ desired: 5, acknowledged: 2, total: 4 });
});

test('the time is told once 99 of 100 have it', () => {
  const seconds = Array.from({ length: 199 }, (_, index) => (199 - index) / 100);
  const running = Array.from({ length: 200 }, (_, index) => (index === 0 ? 4 : 5));
  const { propagation } = after(reachOf({ running, seconds: new Map([[5, seconds]]) }));
  expect(propagation).toEqual({ desired: 5, acknowledged: 199, total: 200, p99Seconds: 1.98 });
  const fewer = after(reachOf({ running, seconds: new Map([[5, seconds.slice(2)]]) }));
  expect(fewer.propagation).not.toHaveProperty('p99Seconds');
});

test.each([60_000, HOUR_MS])('once all have it, and %i ms later, pods that come and go are no news', (agoMs) => {
  const propagation = { desired: 5, acknowledged: 2, total: 2, p99Seconds: 0.5, since: (NOW - agoMs) as EpochMs };
  expect(after(reachOf({ running: [4, 5, 5] }), { propagation }).propagation).toEqual(propagation);
});

test('soon after a change, those who come back one by one still count: the first of them is not all of them', () => {
  const propagation = { desired: 5, acknowledged: 1, total: 1, p99Seconds: 0.5, since: (NOW - 59_999) as EpochMs };
  const { propagation: next } = after(reachOf({ running: [4, 5, 5] }), { propagation });
  expect(next).toEqual({ ...propagation, acknowledged: 2, total: 3 });
});

test('before the first evaluator is there, and before a new leader knows of any, what was said stays', () => {
  const propagation = { desired: 5, acknowledged: 1, total: 2 };
  expect(after(reachOf(), { propagation }).propagation).toEqual(propagation);
  expect(after(undefined, { propagation }).propagation).toEqual(propagation);
});

test('a change begins anew', () => {
  const propagation = { desired: 5, acknowledged: 2, total: 2, p99Seconds: 0.5 };
  const { propagation: next } = after(reachOf({ running: [5, 5] }), { propagation }, true);
  expect(next).toEqual({ desired: 9, acknowledged: 0, total: 2, since: NOW });
});

test('a change that was published by who ended before its status was written begins anew too', () => {
  const propagation = { desired: 5, acknowledged: 1, total: 2 };
  const { propagation: next } = after(reachOf({ running: [5, 5] }), { propagation, observedGeneration: 0 });
  expect(next).toEqual({ desired: 9, acknowledged: 0, total: 2, since: NOW });
});

test('usage is written when it is first seen, and then once an hour', () => {
  const at = (ms: number) => reachOf({ evaluatedAt: new Map([['key-of-a', (NOW + ms) as EpochMs]]) });
  expect(after(reachOf())).not.toHaveProperty('lastEvaluated');
  expect(after(at(0)).lastEvaluated).toBe(NOW);
  expect(after(at(HOUR_MS - 1), { lastEvaluated: NOW }).lastEvaluated).toBe(NOW);
  expect(after(at(HOUR_MS), { lastEvaluated: NOW }).lastEvaluated).toBe(NOW + HOUR_MS);
});

test('pods without an evaluator are told of every flag while they are there, and of none where there never were any', () => {
  const injected = ({ conditions }: ReturnType<typeof after>) =>
    conditions.filter(({ type }) => type === 'Injected').map(({ status, reason }) => `${status} ${reason}`);
  expect(injected(after(reachOf()))).toEqual([]);
  const during = after(reachOf(), {}, false, true);
  expect(injected(during)).toEqual(['False PodsWithoutSidecar']);
  expect(injected(after(reachOf(), { conditions: during.conditions }))).toEqual(['True AllPods']);
});
