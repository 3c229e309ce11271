import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/base/retry-after.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { type Failure, maybeSent, repeatAfter } from '../../../src/kube/retry.ts';

const half = () => 0.5;
const failure = (some: Partial<Failure>): Failure => ({
  httpStatus: 0,
  reason: '',
  maybeSent: true,
  retryAfterMs: undefined,
  ...some,
});
const first = { attempt: 1, repeatable: false, safety: false };

test.each([
  ['a refused connection', failure({ maybeSent: false }), true],
  ['a connection that broke after sending', failure({}), false],
  ['429', failure({ httpStatus: 429 }), true],
  ['503', failure({ httpStatus: 503 }), false],
  ['500', failure({ httpStatus: 500 }), false],
  ['409', failure({ httpStatus: 409 }), false],
])('after %s a call that must not be sent twice is repeated: see the table', (_what, failed, repeated) => {
  expect(repeatAfter(failed, first, half) !== undefined).toBe(repeated);
});

test.each([
  ['a connection that broke', failure({}), true],
  ['502', failure({ httpStatus: 502 }), true],
  ['504', failure({ httpStatus: 504 }), true],
  ['ServerTimeout', failure({ httpStatus: 500, reason: 'ServerTimeout' }), true],
  ['500', failure({ httpStatus: 500 }), false],
  ['422', failure({ httpStatus: 422 }), false],
])('after %s a call that may be sent twice is repeated: see the table', (_what, failed, repeated) => {
  expect(repeatAfter(failed, { ...first, repeatable: true }, half) !== undefined).toBe(repeated);
});

test('credentials that were not accepted are tried once more and no more', () => {
  const denied = failure({ httpStatus: 401 });
  expect(repeatAfter(denied, first, half)).toBeDefined();
  expect(repeatAfter(denied, { ...first, attempt: 2 }, half)).toBeUndefined();
});

test('tries are bounded, and jitter comes on top of what the server asked for', () => {
  const busy = failure({ httpStatus: 429, retryAfterMs: 3_000 as DurationMs });
  expect(repeatAfter(busy, first, half)).toBe(3_037.5);
  expect(repeatAfter(busy, { ...first, attempt: 6 }, half)).toBeUndefined();
});

test('a safety call comes back within milliseconds', () => {
  for (const attempt of [1, 2, 3, 4, 5]) {
    const waitMs = repeatAfter(failure({}), { attempt, repeatable: true, safety: true }, () => 1);
    expect(waitMs).toBeLessThanOrEqual(80);
  }
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfterMs('3', now)).toBe(3_000);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5_000);
  expect(retryAfterMs('Thu, 01 Jan 2025 00:00:05 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});

test('only errors from before a connection stood mean that nothing was sent', () => {
  expect(maybeSent(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toBe(false);
  expect(maybeSent(Object.assign(new Error(), { code: 'UND_ERR_SOCKET' }))).toBe(true);
  expect(maybeSent(new Error('?'))).toBe(true);
});
