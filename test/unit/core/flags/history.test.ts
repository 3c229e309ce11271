import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlagRevision } from '../../../../src/api/feature-flag-status.ts';
import type { EpochMs } from '../../../../src/base/units.ts';
import { lastAccepted, withPresent } from '../../../../src/core/flags/history.ts';

const present = (spec: string, accepted = true) => ({ spec, at: 5 as EpochMs, author: 'ann', accepted });
const after = (...specs: readonly [string, boolean][]) =>
  specs.reduce<FlagRevision[]>((history, [spec, accepted]) => withPresent(history, present(spec, accepted)), []);

test('each new spec gets the next number, with author and time', () => {
  expect(after(['a', true], ['b', false])).toEqual([
    { revision: 1, spec: 'a', at: 5, author: 'ann', accepted: true },
    { revision: 2, spec: 'b', at: 5, author: 'ann', accepted: false },
  ]);
});

test('a spec that is there already gets no number; a former one that comes back does', () => {
  expect(after(['a', true], ['a', true])).toHaveLength(1);
  expect(after(['a', true], ['b', true], ['a', true]).map(({ revision }) => revision)).toEqual([1, 2, 3]);
});

test('a spec becomes accepted later, and stays it', () => {
  expect(after(['a', false], ['a', true])[0]).toMatchObject({ revision: 1, accepted: true });
  expect(after(['a', true], ['a', false])[0]).toMatchObject({ accepted: true });
});

test('twenty stay, and the newest accepted one among them however old it is', () => {
  const bad = Array.from({ length: 30 }, (_, n): [string, boolean] => [`bad ${n}`, false]);
  const history = after(['good', true], ...bad);
  expect(history).toHaveLength(20);
  expect(history[0]).toMatchObject({ spec: 'good', revision: 1 });
  expect(history.at(-1)).toMatchObject({ spec: 'bad 29', revision: 31 });
});

test('a spec that is larger than any that is served is no revision, and pushes nothing out', () => {
  const history = after(['x'.repeat(200_000), true], ['y'.repeat(600_000), false]);
  expect(history.map(({ revision, accepted }) => [revision, accepted])).toEqual([[1, true]]);
});

test('large specs push older ones out, so that a status always fits into an object', () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 250_000 }), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(sizes, (list) => {
      const history = after(
        ...list.map(([size, accepted], n): [string, boolean] => [`${n}`.padEnd(size, 'x'), accepted]),
      );
      const bytes = history.reduce((sum, { spec }) => sum + spec.length, 0);
      expect(bytes).toBeLessThanOrEqual(2 * 262_144);
      expect(history.length).toBeLessThanOrEqual(20);
      const newestGood = list.findLastIndex(([, accepted]) => accepted);
      expect(lastAccepted(history)?.revision).toBe(newestGood < 0 ? undefined : newestGood + 1);
    }),
    { numRuns: 50 },
  );
});
