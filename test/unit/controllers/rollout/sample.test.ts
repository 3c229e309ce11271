import { expect, test } from 'vitest';
import { guardrailSchema } from '../../../../src/api/guardrail.ts';
import { prometheusQuerySchema } from '../../../../src/api/metric.ts';
import type { DurationMs, EpochMs } from '../../../../src/base/units.ts';
import type { Question } from '../../../../src/controllers/rollout/guardrail-rules.ts';
import { type Asked, takeSample } from '../../../../src/controllers/rollout/sample.ts';
import { scheduleOf } from '../../../../src/providers/polling.ts';
import type { Answer, Remarks } from '../../../../src/providers/provider.ts';

const warning = 'a store did not answer';
const at = 1_000_000 as EpochMs;
const compared = { maxIncreaseOverStable: { relative: 0.1 } };
const quiet: Remarks = { warnings: [], infos: ['metric might not be a counter'] };
const warned: Remarks = { warnings: [warning, 'another'], infos: [] };

const number = (value: number, remarks = quiet): Answer => ({ kind: 'Value', value, at, remarks });

/** One sample of a guardrail whose three queries are answered as given. */
async function sampleOf(answers: { readonly [Key in keyof Asked]?: Answer }) {
  const guardrail = guardrailSchema.parse({ name: 'errors', metric: 'errors', ...compared });
  const question: Question = {
    rule: { guardrail, direction: 'LowerIsBetter', bounds: compared, windowMs: 60_000 as DurationMs },
    query: prometheusQuerySchema.parse({ query: 'up' }),
    namespace: 'shop',
  };
  const provider = { query: async ({ text }: { text: string }) => answers[text as keyof Asked] as Answer };
  const when = { at, owner: 'shop/catalog', schedule: scheduleOf('p', 'q', guardrail.interval) };
  const asked = { value: 'value', stable: 'stable', requests: 'requests' };
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
