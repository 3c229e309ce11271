import { expect, test } from 'vitest';
import { defaultWindow } from '../../../src/api/window.ts';
import type { DurationMs } from '../../../src/base/units.ts';

test.each([
  [5_000, 60_000],
  [15_000, 60_000],
  [30_000, 120_000],
])('with a scrape every %i ms one answer covers %i ms', (scrapeInterval, windowMs) => {
  expect(defaultWindow({ scrapeInterval: scrapeInterval as DurationMs })).toBe(windowMs);
});
