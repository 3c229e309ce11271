import { beforeEach, expect, test } from 'vitest';
import type { Decision } from '../../../src/core/rollout/decision.ts';
import type { Observed } from '../../../src/core/rollout/observed.ts';
import { KubeCalls } from '../../../src/server/kube-calls.ts';
import { OperatorMetrics } from '../../../src/server/operator-metrics.ts';

let metrics: OperatorMetrics;
beforeEach(() => {
  metrics = new OperatorMetrics({
    calls: new KubeCalls(),
    queue: () => 0,
    streams: () => 0,
    podsWithoutSidecar: () => new Map(),
    redis: () => undefined,
    watchAges: () => [],
  });
});

/** Series in which this text is, without their values. */
async function series(text: string): Promise<string[]> {
  const lines = (await metrics.registry.metrics()).split('\n');
  return lines.filter((line) => !line.startsWith('#') && line.includes(text)).map((line) => line.split(' ')[0] ?? '');
}

/** A pass after which these guardrails have the verdict `Harm`; with `isLowering` it took the traffic away. */
function pass(key: string, guardrails: readonly string[], isLowering = false): void {
  const verdicts = guardrails.map((name) => ({ name, verdict: 'Harm', at: 1_000 }));
  const seen = { status: {}, guardrails: verdicts.map((status) => ({ status })) };
  const writes = isLowering ? [{ kind: 'Lower', verdict: 'RolledBack' }] : [];
  const decision = { status: { phase: 'Progressing', guardrails: verdicts }, writes };
  metrics.decided(key, seen as unknown as Observed, decision as unknown as Decision, 1_200);
}

test('a Rollout that is gone leaves no series behind, and those of others stay', async () => {
  pass('shop/web', ['errors', 'latency'], true);
  pass('shop/api', ['errors'], true);
  expect(await series('sluice_rollback_seconds_count{')).toHaveLength(2);
  metrics.forget('shop/web');
  expect(await series('rollout="web"')).toEqual([]);
  for (const name of ['phase', 'step', 'weight_ratio'])
    expect(await series(`sluice_rollout_${name}{namespace="shop",rollout="api"`)).not.toEqual([]);
  expect(await series('sluice_guardrail_verdict{')).toHaveLength(4);
  expect(await series('sluice_rollback_seconds_count{')).toHaveLength(1);
});

test('a guardrail that a Rollout no longer has leaves no verdict behind', async () => {
  pass('shop/web', ['errors', 'latency']);
  pass('shop/web', ['latency', 'pods']);
  const named = new Set((await series('sluice_guardrail_verdict{')).map((line) => /guardrail="(\w+)"/.exec(line)?.[1]));
  expect(named).toEqual(new Set(['latency', 'pods']));
});

test('a namespace without flags and without a ruleset leaves no series behind, one that still has a ruleset tells 0 flags', async () => {
  const counts = { total: 1, notAccepted: 1, expired: ['old'], revision: 7 };
  metrics.flagsCounted('shop', counts);
  metrics.flagsCounted('team', counts);
  metrics.flagsCounted('team', { total: 0, notAccepted: 0, expired: [], revision: 8 });
  expect(await series('namespace="team"')).toHaveLength(3);
  metrics.flagsCounted('shop', undefined);
  expect(await series('namespace="shop"')).toEqual([]);
  expect(await series('namespace="team"')).toHaveLength(3);
});

test('a replica that does not lead any more tells nothing of Rollouts and flags, and starts anew when it leads again', async () => {
  pass('shop/web', ['errors']);
  metrics.flagsCounted('shop', { total: 1, notAccepted: 0, expired: ['old'], revision: 7 });
  metrics.setLeading(false);
  expect(await series('namespace="shop"')).toEqual([]);
  metrics.setLeading(true);
  pass('shop/web', ['pods']);
  expect(await series('sluice_guardrail_verdict{')).toHaveLength(4);
});
