import { expect, test } from 'vitest';
import { operatorConfigSchema } from '../../../../src/api/operator-config.ts';
import { encodeRolloutStatus, parseRollout, parseRolloutStatus } from '../../../../src/api/parse.ts';
import { rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import { guardrailsOf } from '../../../../src/controllers/rollout/guardrail-rules.ts';
import { fullRollout } from '../../../support/manifests.ts';

const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `${prefix}-${index}`, metric: 'errors', max: 1 }));

test.each([
  [15, 6],
  [20, 20],
])('status holds the state of every guardrail: %i of the Rollout and %i of the platform', (own, ofPlatform) => {
  const { defaultGuardrails } = operatorConfigSchema.parse({ defaultGuardrails: named('platform', ofPlatform) });
  const rollout = fullRollout();
  const parsed = parseRollout({ ...rollout, spec: { ...rollout.spec, guardrails: named('own', own) } });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const guardrails = guardrailsOf({ defaultGuardrails }, parsed.rollout.spec).map(({ name }) => ({
    ...{ name, verdict: 'Safe' as const, reason: 'InBounds', outOfBounds: [] },
  }));
  expect(guardrails).toHaveLength(own + ofPlatform);
  const encoded = encodeRolloutStatus({ ...rolloutStatusSchema.parse({}), guardrails });
  expect(parseRolloutStatus(encoded)).toMatchObject({ ok: true, status: { guardrails } });
});
