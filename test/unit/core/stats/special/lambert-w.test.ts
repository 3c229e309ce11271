import { expect, test } from 'vitest';
import { lambertW0, lambertWm1, lambertWm1Log } from '../../../../../src/core/stats/special/lambert-w.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

test.each([0.0005, 0.002, 0.005, 0.0069, 0.0072, 0.02, 0.1])(
  'both branches are inverses %d from the branch point',
  (distance) => {
    for (const w of [-1 + distance, -1 - distance]) {
      const branch = w > -1 ? lambertW0 : lambertWm1;
      // Rounding of x moves w by about 1e-16 / distance.
      expectAbsolute(branch(w * Math.exp(w)), w, 4e-16 / distance);
    }
    const lower = -1 - distance;
    expectAbsolute(lambertWm1Log(lower + Math.log(-lower)), lower, 4e-16 / distance);
  },
);

test.each([1.2, 1.5, 2, 3, 10, 1e3, 1e8])('the lower branch is an inverse at −%d, also by the logarithm', (u) => {
  expectRelative(lambertWm1Log(Math.log(u) - u), -u, 4e-15);
  if (u < 700) expectRelative(lambertWm1(-u * Math.exp(-u)), -u, 4e-15);
});

test('the ends are answered', () => {
  expect([lambertW0(0), lambertW0(Infinity), lambertWm1Log(-Infinity)]).toEqual([0, Infinity, -Infinity]);
  expectAbsolute(lambertW0(-1 / Math.E), -1, 1e-7);
  expectAbsolute(lambertWm1(-1 / Math.E), -1, 1e-7);
  expectAbsolute(lambertWm1Log(-1), -1, 1e-7);
});
