import { expect, test } from 'vitest';
import { delayAfterHistory, delayFromStart } from '../../../sim/stats/rollout-delay.ts';
import { keepsPromise, type Row } from '../../../sim/stats/row.ts';
import { suite } from '../../../sim/stats/suite.ts';

// A few runs of what `npm run test:simulation` does with 2,000; seeds are fixed, so these never flake.

const describeRow = ({ scenario, method, count, runs }: Row): string => `${scenario}: ${method}: ${count} of ${runs}`;

test.each(suite.filter(({ title }) => title !== 'Rollouts: delay'))(
  '$title: every promise is kept at every look',
  ({ parts }) => {
    const rows = parts.flatMap((part) => part(40));
    expect(rows.filter((row) => row.whose === 'ours' && row.alpha !== undefined)).not.toEqual([]);
    expect(rows.filter((row) => !keepsPromise(row)).map(describeRow)).toEqual([]);
  },
  120_000,
);

test('the simulation can tell a broken method: peers fail on the same data', () => {
  const rows = suite
    .flatMap(({ title, parts }) => (title.includes('conversions') ? parts : []))
    .flatMap((part) => part(200));
  const peers = rows.filter(({ whose }) => whose === 'peer');
  expect(peers).not.toEqual([]);
  expect(peers.filter((row) => keepsPromise({ ...row, whose: 'ours' }))).toEqual([]);
});

test('good history does not delay the alarm: restarts find a fault many times sooner', () => {
  const rows = delayAfterHistory(5);
  for (let i = 0; i < rows.length; i += 2) {
    expect(rows[i]!.medianLooks! * 4).toBeLessThan(rows[i + 1]!.medianLooks!);
    expect(rows[i]!.medianLooks!).toBeLessThanOrEqual(15);
  }
});

test('a tenfold fault is harm after three polls', () => {
  expect(delayFromStart(20).at(-1)).toMatchObject({ count: 20, medianLooks: 3 });
});
