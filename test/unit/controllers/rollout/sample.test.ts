import { describe, expect, test } from 'vitest';
import { guardrailSchema } from '../../../../src/api/guardrail.ts';
import { prometheusQuerySchema } from '../../../../src/api/metric.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import type { Question } from '../../../../src/controllers/rollout/guardrail-rules.ts';
import { type Asked, render, takeSample } from '../../../../src/controllers/rollout/sample.ts';
import { scheduleOf } from '../../../../src/providers/polling.ts';
import type { Answer, Remarks } from '../../../../src/providers/provider.ts';

const warning = 'a store did not answer';
const at = 1_000_000 as EpochMs;
const compared = { maxIncreaseOverStable: { relative: 0.1 } };
const quiet: Remarks = { warnings: [], infos: ['metric might not be a counter'] };
const warned: Remarks = { warnings: [warning, 'another'], infos: [] };

const number = (value: number, remarks = quiet): Answer => ({ kind: 'Value', value, at, remarks });

/** One sample of a guardrail whose queries are answered as given; the others are not asked. */
async function sampleOf(
  answers: { readonly [Key in keyof Asked]?: Answer },
  { max, lastOfStable }: { max?: number; lastOfStable?: number } = {},
) {
  const guardrail = guardrailSchema.parse({ name: 'errors', metric: 'errors', ...compared });
  const question: Question = {
    rule: { guardrail, direction: 'LowerIsBetter', bounds: { ...compared, max }, windowMs: 60_000 as DurationMs },
    query: prometheusQuerySchema.parse({ query: 'up' }),
    namespace: 'shop',
  };
  const provider = { query: async ({ text }: { text: string }) => answers[text as keyof Asked] as Answer };
  const when = { at, owner: 'shop/catalog', schedule: scheduleOf('p', 'q', guardrail.interval), lastOfStable };
  const asked = Object.fromEntries(Object.keys(answers).map((key) => [key, key])) as unknown as Asked;
  const sample = await takeSample(provider, question, asked, when, new AbortController().signal);
  return sample.answer;
}

test('infos of the provider change nothing', async () => {
  const answer = await sampleOf({ value: number(1), stable: number(2), requests: number(30) });
  expect(answer).toEqual({ kind: 'Value', value: 1, stable: 2, requests: 30 });
});

test.each(['value', 'stable', 'requests'] as const)('a warning beside the answer for %s is kept', async (which) => {
  const answers = { value: number(1), stable: number(2), requests: number(30) };
  const answer = await sampleOf({ ...answers, [which]: number(5, warned) });
  expect(answer).toMatchObject({ kind: 'Value', warning });
});

test('an empty answer says what the provider warned of', async () => {
  const answer = await sampleOf({ value: { kind: 'Empty', remarks: warned }, stable: number(1), requests: number(1) });
  expect(answer).toMatchObject({ kind: 'NoEvidence', message: `the query answered nothing; ${warning}` });
});

describe('where stable serves nobody and is not asked', () => {
  test('the canary is compared with the last value of stable', async () => {
    const answer = await sampleOf({ value: number(1) }, { lastOfStable: 2 });
    expect(answer).toMatchObject({ kind: 'Value', value: 1, stable: 2, remark: expect.stringContaining('last value') });
  });

  test('and never was, nothing is compared, and the sample counts', async () => {
    const answer = await sampleOf({ value: number(1), requests: number(30) });
    expect(answer).toMatchObject({
      kind: 'Value',
      value: 1,
      requests: 30,
      remark: 'not compared: stable serves nobody',
    });
    expect(answer).not.toHaveProperty('stable');
  });
});

describe('where stable serves', () => {
  const empty: Answer = { kind: 'Empty', remarks: quiet };

  test('its silence is no evidence, whatever it was before', async () => {
    const answer = await sampleOf({ value: number(1), stable: empty }, { lastOfStable: 2 });
    expect(answer).toMatchObject({ kind: 'NoEvidence', reason: 'NoStableValue' });
  });

  test('its silence does not hide what is above the maximum', async () => {
    expect(await sampleOf({ value: number(3), stable: empty }, { max: 2 })).toMatchObject({ kind: 'Value', value: 3 });
  });
});

test.each([
  ['Canary', true, true],
  ['Canary', false, false],
  ['Workload', false, true],
])('a guardrail of scope %s, with a stable that serves: %s, asks for stable: %s', (scope, comparable, asksStable) => {
  const guardrail = guardrailSchema.parse({ name: 'errors', metric: 'errors', scope, ...compared });
  const rule = { guardrail, direction: 'LowerIsBetter', bounds: compared, windowMs: 60_000 as DurationMs } as const;
  const query = prometheusQuerySchema.parse({ query: 'up{hash="{{canaryHash}}"}' });
  const hashes = { canaryHash: 'v2', stableHash: 'v1' };
  const subject = { namespace: 'shop', rollout: 'web', service: 'web', ...hashes, comparable };
  expect(render({ rule, query, namespace: 'shop' }, subject)).toEqual({
    value: 'up{hash="v2"}',
    ...(asksStable ? { stable: 'up{hash="v1"}' } : {}),
  });
});
