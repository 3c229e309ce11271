import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWithinBytes } from '../../../src/api/bounded-size.ts';

test('what is far larger or far smaller as JSON is told apart', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = Buffer.byteLength(JSON.stringify(value));
      expect(isWithinBytes(value, 4 * bytes + 10)).toBe(true);
      // Escapes can make JSON six times as long as the text.
      expect(isWithinBytes(value, Math.floor(bytes / 8) - 4)).toBe(false);
    }),
  );
});

test('text counts as UTF-8', () => {
  expect(isWithinBytes('é'.repeat(100), 150)).toBe(false);
});

test('a cycle is too large', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(isWithinBytes(cycle, 1_000_000)).toBe(false);
});

test('aliases that fan out a billionfold are too large, at once', () => {
  let value: unknown = 'x';
  for (let depth = 0; depth < 30; depth++) value = [value, value];
  expect(isWithinBytes(value, 262_144)).toBe(false);
});
