import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentIds } from '../../../../src/evaluator/events/recent-ids.ts';

test('remembers exactly the ids that were used last, in any order of use', () => {
  const use = fc.tuple(fc.constantFrom('add', 'has'), fc.integer({ min: 0, max: 9 }).map(String));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(use, { maxLength: 60 }), (capacity, uses) => {
      const ids = new RecentIds(capacity);
      let model: string[] = [];
      for (const [what, id] of uses) {
        const known = model.includes(id);
        if (what === 'has') expect(ids.has(id)).toBe(known);
        else ids.add(id);
        if (known || what === 'add') model = [...model.filter((one) => one !== id), id].slice(-capacity);
        expect(ids.size).toBe(model.length);
      }
      // From the oldest: asking makes an id the newest, which changes nothing for those that are asked later.
      for (const id of Array.from({ length: 10 }, (_, n) => String(n))) expect(ids.has(id)).toBe(model.includes(id));
    }),
    { numRuns: 2_000 },
  );
});
