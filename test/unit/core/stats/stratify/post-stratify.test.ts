import { expect, test } from 'vitest';
import { postStratify } from '../../../../../src/core/stats/stratify/post-stratify.ts';
import { type Moments, mergeMoments } from '../../../../../src/core/stats/summaries/moments.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const arm = (n: number, mean: number, variance: number): Moments => ({ n, mean, m2: variance * (n - 1) });

test('weights are the shares of units and the variance has both parts', () => {
  const result = postStratify([
    { treatment: arm(30, 5, 4), control: arm(50, 4, 2) },
    { treatment: arm(70, 9, 1), control: arm(50, 6, 3) },
  ]);
  const [w1, w2] = [0.4, 0.6];
  expectAbsolute(result.estimate, w1 * 1 + w2 * 3, 1e-12);
  const within = w1 ** 2 * (4 / 30 + 2 / 50) + w2 ** 2 * (1 / 70 + 3 / 50);
  const sizes = (w1 * 1 + w2 * 9 - (w1 + 3 * w2) ** 2) / 200;
  expectAbsolute(result.standardError ** 2, within + sizes, 1e-12);
});

test('an imbalance between strata does not become an effect', () => {
  const result = postStratify([
    { treatment: arm(90, 1, 1), control: arm(10, 1, 1) },
    { treatment: arm(10, 100, 1), control: arm(90, 100, 1) },
  ]);
  expectAbsolute(result.estimate, 0, 1e-12);
});

test('a stratum that cannot stand alone goes into the largest and loses no unit', () => {
  const strata = [
    { treatment: arm(500, 2, 1), control: arm(500, 1, 1) },
    { treatment: arm(50, 3, 1), control: arm(50, 1, 1) },
    { treatment: arm(3, 9, 1), control: { n: 0, mean: 0, m2: 0 } },
    { treatment: arm(4, 9, 0), control: arm(4, 9, 1) },
  ];
  const result = postStratify(strata);
  expect(result).toMatchObject({ merged: 2, n: 1111 });
  expect(Number.isFinite(result.standardError)).toBe(true);
});

test('only thin strata become one, in any order', () => {
  const thin = [
    { treatment: arm(1, 1, 0), control: arm(1, 2, 0) },
    { treatment: arm(1, 5, 0), control: arm(1, 1, 0) },
    { treatment: arm(1, 2, 0), control: arm(1, 7, 0) },
  ];
  const forward = postStratify(thin);
  const backward = postStratify([...thin].reverse());
  expectAbsolute(forward.estimate, 8 / 3 - 10 / 3, 1e-12);
  expectAbsolute(backward.estimate, forward.estimate, 1e-12);
  expectAbsolute(backward.standardError, forward.standardError, 1e-12);
});

test('no strata, an empty arm, no variance and NaN are refused', () => {
  const empty = { n: 0, mean: 0, m2: 0 };
  expect(() => postStratify([])).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => postStratify([{ treatment: arm(10, 1, 1), control: empty }])).toThrow('SLUICE_STATS_TOO_FEW');
  expect(() => postStratify([{ treatment: arm(10, 1, 0), control: arm(10, 1, 0) }])).toThrow(
    'SLUICE_STATS_NO_VARIANCE',
  );
  expect(() => postStratify([{ treatment: arm(10, Number.NaN, 1), control: arm(10, 1, 1) }])).toThrow(
    'SLUICE_STATS_ARGUMENT',
  );
});

/** What the strata give when those in `together` are put together by hand. */
const byHand = (strata: { treatment: Moments; control: Moments }[], together: readonly number[]) => {
  const thrown = strata.filter((_, i) => together.includes(i));
  const joined = {
    treatment: thrown.map(({ treatment }) => treatment).reduce(mergeMoments),
    control: thrown.map(({ control }) => control).reduce(mergeMoments),
  };
  return postStratify([...strata.filter((_, i) => !together.includes(i)), joined]);
};

test('thin strata go into the largest, wherever it stands; of two of the same size into the first', () => {
  const small = { treatment: arm(50, 3, 1), control: arm(50, 1, 1) };
  const large = { treatment: arm(500, 2, 1), control: arm(400, 1, 2) };
  const asLarge = { treatment: arm(400, 7, 1), control: arm(500, 4, 2) };
  const thin = { treatment: arm(1, 90, 0), control: arm(30, 1, 1) };
  for (const [strata, home] of [
    [[small, large, thin], 1],
    [[large, thin, small], 0],
    [[small, large, asLarge, thin], 1],
    [[asLarge, small, large, thin], 0],
  ] as const) {
    const got = postStratify(strata);
    const want = byHand([...strata], [home, (strata as readonly object[]).indexOf(thin)]);
    expectAbsolute(got.estimate, want.estimate, 1e-12);
    expectAbsolute(got.standardError, want.standardError, 1e-12);
    expect(got.merged).toBe(1);
  }
});

test.each([
  ['two units an arm', { treatment: arm(2, 9, 1), control: arm(2, 3, 1) }, 0],
  ['one unit of treatment', { treatment: arm(1, 9, 0), control: arm(2, 3, 1) }, 1],
  ['one unit of control', { treatment: arm(2, 9, 1), control: arm(1, 3, 0) }, 1],
  ['equal values in treatment', { treatment: arm(5, 9, 0), control: arm(5, 3, 1) }, 1],
  ['equal values in control', { treatment: arm(5, 9, 1), control: arm(5, 3, 0) }, 1],
])('a stratum with %s is merged or not', (_what, stratum, merged) => {
  const large = { treatment: arm(50, 3, 1), control: arm(50, 1, 1) };
  expect(postStratify([large, stratum]).merged).toBe(merged);
});

test('of strata that are all thin one is made: one less than there were is merged', () => {
  const thin = { treatment: arm(1, 9, 0), control: arm(1, 3, 0) };
  const other = { treatment: arm(1, 5, 0), control: arm(1, 4, 0) };
  expect(postStratify([thin, other, thin])).toMatchObject({ merged: 2, n: 6 });
});

test('equal values in every stratum have no error to divide by', () => {
  const flat = { treatment: arm(5, 2, 0), control: arm(5, 1, 0) };
  expect(() => postStratify([flat])).toThrow(
    expect.objectContaining({
      message: 'SLUICE_STATS_NO_VARIANCE: all values are equal inside every stratum',
      facts: { n: 10 },
    }),
  );
});
