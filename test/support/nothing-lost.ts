import { expect } from 'vitest';
import type { LoadReport } from '../../hack/load/report.ts';

/** Fails where a request was lost, and then shows how many of each kind, and the first and last of them. */
export function expectNothingLost({ lost, lostByKind, losses }: LoadReport): void {
  const seen = { lost, lostByKind, first: losses.slice(0, 5), last: losses.slice(-1) };
  expect(seen).toEqual({ lost: 0, lostByKind: {}, first: [], last: [] });
}
