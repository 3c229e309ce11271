import { expect, test } from 'vitest';
import { streamsWithin } from '../../../src/server/ruleset-service.ts';

test('more memory serves more evaluators; without a limit there is still one', () => {
  const mib = 2 ** 20;
  expect([256, 512, 1_024].map((limit) => streamsWithin(limit * mib))).toEqual([819, 1_638, 3_276]);
  expect([0, 2 ** 63].map(streamsWithin)).toEqual([10_000, 10_000]);
});
