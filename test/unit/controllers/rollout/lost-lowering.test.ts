import { expect, test } from 'vitest';
import { parseRolloutStatus } from '../../../../src/api/parse.ts';
import { apply } from '../../../../src/controllers/rollout/apply.ts';
import type { GuardrailPoller } from '../../../../src/controllers/rollout/guardrail-poller.ts';
import { RolloutReconciler } from '../../../../src/controllers/rollout/reconcile.ts';
import { decide } from '../../../../src/core/rollout/decide.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { RolloutNamespace, routeTo, statusInFlight } from '../../../support/rollout-namespace.ts';

/** A Rollout at 25 %, whose last sample spent the budget of its guardrail, as only its leader knows. */
function breached() {
  const namespace = new RolloutNamespace();
  namespace.addRollout('catalog', { service: 'catalog', routes: ['catalog'], pinService: false }, statusInFlight({}));
  const record = { rollout: 'uid-catalog', revision: 'v2', epoch: 1, verdict: 'Go' as const };
  namespace.addRoute('catalog', [routeTo('/', ['catalog-stable', 75], ['catalog-canary', 25])], record);
  const context = namespace.writing('catalog');
  const { observed } = context.gathered;
  const guardrails = observed.guardrails.map(({ rule }) => ({
    rule,
    status: { name: rule.guardrail.name, verdict: 'Harm' as const, reason: 'OutOfBounds', outOfBounds: [true] },
  }));
  return { namespace, context, guardrails, decision: decide({ ...observed, guardrails }, context.clock.now()) };
}

/** The client, which cannot reach what `fails` names. */
function failing(client: KubeClient, ...fails: ('patch' | 'replace')[]): KubeClient {
  const refuse = () => Promise.reject(new Error('the API server is away'));
  return { ...client, ...Object.fromEntries(fails.map((verb) => [verb, refuse])) } as unknown as KubeClient;
}

function statusOf(namespace: RolloutNamespace) {
  const parsed = parseRolloutStatus(namespace.rollout('catalog').status);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.status;
}

test('a breach whose route cannot be written is in status, so that the next leader lowers', async () => {
  const { namespace, context, decision } = breached();
  expect(decision.writes[0]?.kind).toBe('Lower');
  await expect(apply({ ...context, client: failing(context.client, 'patch') }, decision)).rejects.toThrow('is away');
  const status = statusOf(namespace);
  expect(status).toMatchObject({ verdict: 'Harm', inFlight: { stage: 'Holding', weightBp: 2500 } });
  expect(status.inFlight?.retreat).toBeUndefined();
  const next = namespace.writing('catalog');
  const again = decide(next.gathered.observed, next.clock.now());
  expect([again.policy, again.writes[0]?.kind]).toEqual(['breach', 'Lower']);
  await apply(next, again);
  expect(namespace.weightsOf('catalog')).toEqual([
    ['catalog-stable', 100],
    ['catalog-canary', 0],
  ]);
});

test('where status cannot be written either, the reason is the route’s', async () => {
  const { context, decision } = breached();
  const client = failing(context.client, 'patch', 'replace');
  await expect(apply({ ...context, client }, decision)).rejects.toThrow('the API server is away');
});

test.each([
  ['once it was carried out', [], true],
  ['not while the route cannot be written', ['patch'], false],
  ['not while status cannot be written', ['replace'], false],
] as const)('the poller is told that a breach was acted on: %s', async (_, fails, isTold) => {
  const { context, guardrails } = breached();
  const told: unknown[] = [];
  const poller = {
    statesOf: () => guardrails,
    watch: () => undefined,
    actedOn: (...args: unknown[]) => told.push(args),
  } as unknown as GuardrailPoller;
  const nothing = () => undefined;
  const ports = { ...context, client: failing(context.client, ...fails), poller };
  const reconciler = new RolloutReconciler({ ...ports, announce: nothing, decided: nothing, gone: nothing });
  await reconciler.reconcile('shop/catalog', context.signal).catch((error: unknown) => {
    if (isTold) throw error;
  });
  expect(told).toEqual(isTold ? [['shop/catalog', guardrails]] : []);
});
