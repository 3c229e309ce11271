import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/api/duration.ts';
import type { DurationMs } from '../../../src/base/units.ts';

const YEAR_MS = 31_536_000_000;

test('every whole number of milliseconds up to a year comes back from its text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: YEAR_MS }), (ms) => {
      expect(parseDuration(formatDuration(ms as DurationMs))).toBe(ms);
    }),
  );
});

test('the parts of a duration add up', () => {
  const part = fc.tuple(fc.integer({ min: 0, max: 9_999 }), fc.constantFrom('ms', 's', 'm'));
  const unitMs = { ms: 1, s: 1_000, m: 60_000 } as Record<string, number>;
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const sum = parts.reduce((total, [count, unit]) => total + count * unitMs[unit]!, 0);
      expect(parseDuration(parts.map(([count, unit]) => `${count}${unit}`).join(''))).toBe(sum);
    }),
  );
});

test.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['14d', 1_209_600_000],
  ['0s', 0],
  ['365d', YEAR_MS],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '-1s', '1 h', '1h 30m', '1H', '1w', '1e3s', '.5s', '1.2345s', '366d', '1s1s1s1s1s1s', '1s\n'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('the text of a duration is the shortest one', () => {
  expect([90_000, 5_400_000, 86_400_001, 0, 999].map((ms) => formatDuration(ms as DurationMs))).toEqual([
    '1m30s',
    '1h30m',
    '1d1ms',
    '0s',
    '999ms',
  ]);
});
