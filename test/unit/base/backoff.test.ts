import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../../src/base/backoff.ts';
import { seededRandom } from '../../../src/base/random.ts';

test('a wait lies in the upper half of its doubling bound and never above the limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer(), (attempt, seed) => {
      const bound = Math.min(10_000, 5 * 2 ** Math.min(attempt - 1, 30));
      const wait = backoffMs(attempt, { firstMs: 5, maxMs: 10_000 }, seededRandom(seed));
      expect(wait).toBeGreaterThanOrEqual(bound / 2);
      expect(wait).toBeLessThanOrEqual(bound);
    }),
  );
});

test('the same seed gives the same numbers, all in [0, 1)', () => {
  const a = seededRandom(7);
  const b = seededRandom(7);
  for (let i = 0; i < 1000; i++) {
    const x = a();
    expect(x).toBe(b());
    expect(x >= 0 && x < 1).toBe(true);
  }
});
