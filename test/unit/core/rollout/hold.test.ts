import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardrailSchema } from '../../../../src/api/guardrail.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import type { GuardrailRule, JudgedGuardrail } from '../../../../src/core/guardrails/judge.ts';
import { askedEvery, credit, evidence, type Hold, interrupt } from '../../../../src/core/rollout/hold.ts';

const HOUR_S = 3600;
const BEGIN = 1_800_000_000_000 as EpochMs;

/** A guardrail that is asked at multiples of its interval plus `phaseS`. */
interface Asked {
  readonly intervalS: number;
  readonly windowS: number;
  readonly phaseS: number;
}

const ruleOf = ({ intervalS, windowS }: Asked, index: number): GuardrailRule => ({
  guardrail: guardrailSchema.parse({ name: `g${index}`, metric: 'errors', max: 1, interval: `${intervalS}s` }),
  direction: 'LowerIsBetter',
  bounds: { max: 1 },
  windowMs: (windowS * 1000) as DurationMs,
});

/** The hold after an hour in which every answer is good, with what each guardrail is asked in its turn. */
function anHourOf(asked: readonly Asked[], disturb: (hold: Hold, second: number) => Hold = (hold) => hold): Hold {
  let guardrails: JudgedGuardrail[] = asked.map((one, index) => ({ rule: ruleOf(one, index) }));
  let hold: Hold = { doneMs: 0, at: BEGIN, effectiveAt: BEGIN };
  for (let second = 1; second <= HOUR_S; second++) {
    const now = (BEGIN + second * 1000) as EpochMs;
    guardrails = guardrails.map(({ rule, status }, index) => {
      const isDue = (second - (asked[index]?.phaseS ?? 0)) % (askedEvery(rule) / 1000) === 0;
      const sample = {
        name: rule.guardrail.name,
        verdict: 'Safe',
        reason: 'InBounds',
        at: now,
        outOfBounds: [],
      } as const;
      return isDue ? { rule, status: { ...sample, outOfBounds: [] } } : { rule, ...(status ? { status } : {}) };
    });
    if (evidence(guardrails, BEGIN, now).kind === 'Good') hold = credit(hold, guardrails, now);
    hold = disturb(hold, second);
  }
  return hold;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  intervalS: fc.integer({ min: 1, max: 600 }),
  windowS: fc.integer({ min: 1, max: 600 }),
  phaseS: fc.integer({ min: 0, max: 600 }),
});

describe('guardrails that are always good', () => {
  test.each([
    [
      'two that are asked more rarely than their window',
      [0, 150].map((phaseS) => ({ intervalS: 300, windowS: 60, phaseS })),
    ],
    ['three of them', [0, 70, 200].map((phaseS) => ({ intervalS: 300, windowS: 60, phaseS }))],
    [
      'one with a short window beside one with a long one',
      [
        { intervalS: 10, windowS: 10, phaseS: 3 },
        { intervalS: 300, windowS: 300, phaseS: 0 },
      ],
    ],
  ])('prove time together: %s', (_, all) => {
    expect(anHourOf(all).doneMs).toBeGreaterThan(2400_000);
  });

  test('prove all the time but what their windows need at the ends, whatever their windows, intervals and phases', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 2, maxLength: 4 }), (all) => {
        const longestS = Math.max(...all.map(({ intervalS, windowS }) => Math.min(intervalS, windowS)));
        const { doneMs } = anHourOf(all);
        expect(doneMs).toBeGreaterThanOrEqual((HOUR_S - 4 * longestS) * 1000);
        expect(doneMs).toBeLessThanOrEqual(HOUR_S * 1000);
      }),
      { numRuns: 50 },
    );
  });
});

test('an interruption takes what nobody will prove, and at most what the slowest had not proved before it', () => {
  const all = [10, 300].map((windowS) => ({ intervalS: windowS, windowS, phaseS: 0 }));
  const half = HOUR_S / 2;
  const disturbed = anHourOf(all, (hold, second) =>
    second > half - 100 && second <= half ? interrupt(hold, (BEGIN + second * 1000) as EpochMs) : hold,
  );
  const lost = anHourOf(all).doneMs - disturbed.doneMs;
  expect(lost).toBeGreaterThanOrEqual(99_000);
  expect(lost).toBeLessThanOrEqual(300_000);
});
