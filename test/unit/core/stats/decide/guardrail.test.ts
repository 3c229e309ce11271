import { expect, test } from 'vitest';
import {
  type GuardrailEvidence,
  judgeGuardrail,
  type SidedEvidence,
} from '../../../../../src/core/stats/decide/guardrail.ts';
import { meanGuardrailEvidence } from '../../../../../src/core/stats/decide/mean-guardrail.ts';

const levels = { guardrails: 2, harmAlpha: 0.01, safeAlpha: 0.05 };
const side = (part: Partial<SidedEvidence> = {}): SidedEvidence => ({
  logHarm: 0,
  logSevereHarm: 0,
  warmingUp: false,
  intervalsPointingToHarm: 10,
  ...part,
});
const evidence = (logSafe: number, ...sides: SidedEvidence[]): GuardrailEvidence => ({ sides, logSafe });

test.each([
  ['harm at M / alpha', evidence(0, side({ logHarm: Math.log(200) })), 'Harm', 'EvidenceOfHarm'],
  ['no harm just below it', evidence(0, side({ logHarm: Math.log(199.9) })), 'Unknown', 'NotEnoughEvidence'],
  ['safe at 1 / alpha, uncorrected', evidence(Math.log(20.001), side()), 'Safe', 'NotInferior'],
  ['not safe just below it', evidence(Math.log(19.99), side()), 'Unknown', 'NotEnoughEvidence'],
  ['harm before safety', evidence(9, side({ logHarm: 9 })), 'Harm', 'EvidenceOfHarm'],
  [
    'in warm-up the corrected value does not count',
    evidence(0, side({ warmingUp: true, logHarm: 50 })),
    'Unknown',
    'WarmingUp',
  ],
  [
    'in warm-up harm at 10,000 M',
    evidence(0, side({ warmingUp: true, logSevereHarm: Math.log(20_001) })),
    'Harm',
    'SevereHarmInWarmUp',
  ],
  ['but not below', evidence(0, side({ warmingUp: true, logSevereHarm: Math.log(19_999) })), 'Unknown', 'WarmingUp'],
  [
    'nor with fewer than 3 intervals that point to it',
    evidence(0, side({ warmingUp: true, logSevereHarm: 50, intervalsPointingToHarm: 2 })),
    'Unknown',
    'WarmingUp',
  ],
  [
    'after warm-up the uncorrected value does not count',
    evidence(0, side({ logSevereHarm: 50 })),
    'Unknown',
    'NotEnoughEvidence',
  ],
  ['two sides must both show harm', evidence(0, side({ logHarm: 50 }), side()), 'Unknown', 'NotEnoughEvidence'],
  ['and then do', evidence(0, side({ logHarm: 50 }), side({ logHarm: 50 })), 'Harm', 'EvidenceOfHarm'],
  ['trap 7: no sides are no harm', evidence(0), 'Unknown', 'NotEnoughEvidence'],
] as const)('%s', (_, given, state, reason) => {
  expect(judgeGuardrail(given, levels)).toEqual({ state, reason });
});

test('NaN evidence and empty levels are refused', () => {
  expect(() => judgeGuardrail(evidence(Number.NaN, side()), levels)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => judgeGuardrail(evidence(0, side({ logHarm: Number.NaN })), levels)).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => judgeGuardrail(evidence(0, side()), { ...levels, guardrails: 0 })).toThrow('SLUICE_STATS_ARGUMENT');
  expect(() => judgeGuardrail(evidence(0, side()), { ...levels, harmAlpha: 1 })).toThrow('SLUICE_STATS_ARGUMENT');
});

test('a mean that moved to the worse side is harm, one that did not is safe, in either direction', () => {
  const plan = { alpha: 0.05, plannedSampleSize: 10_000 };
  const look = { estimate: 0.8, standardError: 0.05, n: 10_000 };
  const margin = Math.log(1.5);
  const judge = (estimate: number, worse: 'Higher' | 'Lower') =>
    judgeGuardrail(meanGuardrailEvidence({ ...look, estimate }, { worse, margin }, plan), levels).state;
  expect([judge(0.8, 'Higher'), judge(0, 'Higher'), judge(-0.8, 'Higher'), judge(0.4, 'Higher')]).toEqual([
    'Harm',
    'Safe',
    'Safe',
    'Unknown',
  ]);
  expect([judge(-0.8, 'Lower'), judge(0, 'Lower'), judge(0.8, 'Lower'), judge(-0.4, 'Lower')]).toEqual([
    'Harm',
    'Safe',
    'Safe',
    'Unknown',
  ]);
});

test.each([
  [
    'severe harm at its level, at the third interval',
    evidence(0, side({ warmingUp: true, logSevereHarm: Math.log(20_000), intervalsPointingToHarm: 3 })),
    'SevereHarmInWarmUp',
  ],
  ['evidence without end', evidence(0, side({ logHarm: Infinity, logSevereHarm: Infinity })), 'EvidenceOfHarm'],
  ['safety at its level', evidence(-Math.log(0.05), side()), 'NotInferior'],
])('%s is enough', (_what, seen, reason) => {
  expect(judgeGuardrail(seen, levels).reason).toBe(reason);
});
