import { expect, test } from 'vitest';
import { interactionTest } from '../../../../../src/core/stats/heterogeneity/interaction.ts';
import { chiSquareSf } from '../../../../../src/core/stats/special/chi-square.ts';
import { expectAbsolute, expectRelative } from '../../../../support/close.ts';

test('two strata: Q is the squared z of their difference', () => {
  const result = interactionTest([
    { estimate: 0.3, standardError: 0.1 },
    { estimate: 0.05, standardError: 0.12 },
  ]);
  const z = 0.25 / Math.hypot(0.1, 0.12);
  expectRelative(result.statistic, z * z, 1e-12);
  expectRelative(result.pValue, chiSquareSf(z * z, 1), 1e-12);
});

test('DerSimonian and Laird agrees with statsmodels', () => {
  const result = interactionTest([
    { estimate: 0.1, standardError: 0.05 },
    { estimate: 0.4, standardError: 0.1 },
    { estimate: -0.05, standardError: 0.08 },
    { estimate: 0.2, standardError: 0.2 },
  ]);
  expectRelative(result.statistic, 12.645068807339449, 1e-9);
  expectRelative(result.betweenVariance, 0.024420731707317064, 1e-9);
  expectRelative(result.pooled, 0.11330275229357797, 1e-9);
});

test('equal strata are shrunk to one effect', () => {
  const same = { estimate: 0.1, standardError: 0.05 };
  const result = interactionTest([same, same, { estimate: 0.12, standardError: 0.05 }]);
  expect(result.betweenVariance).toBe(0);
  expect(new Set(result.shrunken.map(({ estimate }) => estimate.toFixed(12))).size).toBe(1);
  expectAbsolute(result.shrunken[0]?.standardError as number, 0.05 / Math.sqrt(3), 1e-12);
});

test('shrinkage moves the noisy stratum most and keeps the order', () => {
  const [precise, noisy, opposite] = interactionTest([
    { estimate: 0.5, standardError: 0.02 },
    { estimate: 0.9, standardError: 0.5 },
    { estimate: -0.2, standardError: 0.02 },
  ]).shrunken;
  expectAbsolute(precise?.estimate as number, 0.5, 0.01);
  expect(noisy?.estimate).toBeLessThan(0.7);
  expect(noisy?.estimate).toBeGreaterThan(precise?.estimate as number);
  expectAbsolute(opposite?.estimate as number, -0.2, 0.01);
});

test.each([
  ['SLUICE_STATS_TOO_FEW', 'one stratum', () => interactionTest([{ estimate: 1, standardError: 1 }])],
  [
    'SLUICE_STATS_ARGUMENT',
    'an exact stratum',
    () =>
      interactionTest([
        { estimate: 1, standardError: 0 },
        { estimate: 1, standardError: 1 },
      ]),
  ],
] as const)('%s: %s', (code, _what, call) => {
  expect(call).toThrow(expect.objectContaining({ code }));
});
