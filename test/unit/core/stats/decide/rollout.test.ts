import { expect, test } from 'vitest';
import type { GuardrailEvidence } from '../../../../../src/core/stats/decide/guardrail.ts';
import {
  decideRollout,
  type RolloutFacts,
  type RolloutGuardrail,
} from '../../../../../src/core/stats/decide/rollout.ts';

const comparison = (logHarm: number, logSafe: number): GuardrailEvidence => ({
  sides: [{ logHarm, logSevereHarm: logHarm, warmingUp: false, intervalsPointingToHarm: 5 }],
  logSafe,
});
const safe: RolloutGuardrail = { name: 'errors', data: 'Fresh', comparison: comparison(-5, 9) };
const unknown: RolloutGuardrail = { name: 'latency', data: 'Fresh', comparison: comparison(0, 0) };
const harmed: RolloutGuardrail = { name: 'crashes', data: 'Fresh', comparison: comparison(20, -9) };
const down: RolloutGuardrail = { name: 'saturation', data: 'ProviderDown' };
const kept: RolloutGuardrail = { name: 'memory', data: 'Fresh', bound: 'Kept' };

const factsOf = (...guardrails: RolloutGuardrail[]): RolloutFacts => ({ guardrails, harmAlpha: 0.01, safeAlpha: 0.05 });
const verdict = (...guardrails: RolloutGuardrail[]) => {
  const { verdict: answer, reason, because } = decideRollout(factsOf(...guardrails));
  return [answer, reason, because];
};

test('all safe is safe', () => {
  expect(verdict(safe, kept)).toEqual(['Safe', 'AllSafe', undefined]);
});

test('one that is not yet known holds the rest', () => {
  expect(verdict(safe, unknown, kept)).toEqual(['NoEvidence', 'NotEnoughEvidence', 'latency']);
});

test('harm stands above everything, also above a provider that is down', () => {
  expect(verdict(safe, down, unknown, harmed)).toEqual(['Harm', 'EvidenceOfHarm', 'crashes']);
  expect(verdict(down, unknown)).toEqual(['ProviderDown', 'ProviderDown', 'saturation']);
});

test('harm that was shown stays shown while the provider is away', () => {
  expect(verdict({ ...harmed, data: 'ProviderDown' })).toEqual(['Harm', 'EvidenceOfHarm', 'crashes']);
});

test('trap 8: a missing series is no evidence, never safety', () => {
  expect(verdict({ ...safe, data: 'Missing' })).toEqual(['NoEvidence', 'NoData', 'errors']);
  expect(verdict({ ...kept, data: 'Missing' })).toEqual(['NoEvidence', 'NoData', 'memory']);
});

test('a broken bound is harm at once, warm-up or not; a kept one does not stand for the comparison', () => {
  expect(verdict({ ...safe, bound: 'Broken' })).toEqual(['Harm', 'BoundBroken', 'errors']);
  expect(verdict({ ...unknown, bound: 'Kept' })).toEqual(['NoEvidence', 'NotEnoughEvidence', 'latency']);
});

test('trap 7: no guardrails are not "all safe", and one without anything to judge is not safe', () => {
  expect(verdict()).toEqual(['NoEvidence', 'NoGuardrails', undefined]);
  expect(verdict({ name: 'empty', data: 'Fresh' })).toEqual(['NoEvidence', 'NothingToJudge', 'empty']);
});

test('more compared guardrails need more evidence of harm, none of them more for safety', () => {
  const borderline: RolloutGuardrail = { ...harmed, comparison: comparison(Math.log(150), 0) };
  expect(verdict(borderline)[0]).toBe('Harm');
  expect(verdict(borderline, safe)[0]).toBe('NoEvidence');
  expect(verdict(borderline, kept)[0]).toBe('Harm');
});

test('the record replays the decision', () => {
  const decision = decideRollout(factsOf(safe, unknown));
  expect(decideRollout(JSON.parse(JSON.stringify(decision.record.facts)) as RolloutFacts)).toEqual(decision);
  expect(decision.record.alphaSpent).toEqual({ harm: 0.01, safeEach: 0.05 });
  expect(decideRollout(factsOf(kept)).record.alphaSpent).toEqual({ harm: 0, safeEach: 0 });
});

test('each guardrail is answered by itself, by its name', () => {
  expect(decideRollout(factsOf(kept, safe, unknown, down)).guardrails).toEqual([
    { name: 'memory', verdict: 'Safe', reason: 'BoundKept' },
    { name: 'errors', verdict: 'Safe', reason: 'NotInferior' },
    { name: 'latency', verdict: 'NoEvidence', reason: 'NotEnoughEvidence' },
    { name: 'saturation', verdict: 'ProviderDown', reason: 'ProviderDown' },
  ]);
  expect(verdict(kept)).toEqual(['Safe', 'AllSafe', undefined]);
  expect(verdict(down)).toEqual(['ProviderDown', 'ProviderDown', 'saturation']);
});
