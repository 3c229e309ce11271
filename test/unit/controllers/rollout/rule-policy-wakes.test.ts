import { setImmediate as settled } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../../../../src/base/logger.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { RolloutInformers } from '../../../../src/controllers/rollout/informers.ts';
import type { KubeClient, WatchEvent } from '../../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { fullRollout } from '../../../support/manifests.ts';

test('a SecurityPolicy on a rule of a route wakes the Rollouts of that route, when it comes and when it goes', async () => {
  const rollout = fullRollout();
  delete rollout.spec.traffic.stickiness;
  const [{ name: route }] = rollout.spec.traffic.router.gatewayAPI.httpRoutes;
  const metadata = { ...rollout.metadata, namespace: 'shop', name: 'catalog', resourceVersion: '1' };
  const events: WatchEvent<KubeObject>[] = [];
  const client = {
    raw: async () => ({}),
    pages: async function* ({ plural }: Resource<KubeObject>) {
      yield { items: plural === 'rollouts' ? [{ ...rollout, metadata }] : [], resourceVersion: '1' };
    },
    watch: async function* ({ plural }: Resource<KubeObject>, { signal }: { signal: AbortSignal }) {
      while (!signal.aborted) {
        for (const event of plural === 'securitypolicies' ? events.splice(0) : []) yield event;
        await settled();
      }
    },
  } as unknown as KubeClient;
  const woken: string[] = [];
  const informers = new RolloutInformers(
    { client, clock: new FakeClock(), random: seededRandom(1), logger: silent },
    {
      presetNamespace: 'sluice-system',
      defaultGuardrails: [],
      evaluators: { of: () => ({ listening: 0, running: 0 }) },
    },
    (key) => woken.push(key),
    () => {},
  );
  onTestFinished(() => informers.stop());
  informers.start();
  await informers.synced;
  while (!informers.sources.policies.isKnown()) await settled();

  /** Who is woken by one event. */
  const by = async (type: 'ADDED' | 'DELETED', target: object): Promise<string[]> => {
    woken.length = 0;
    const targetRefs = [{ kind: 'HTTPRoute', ...target }];
    const policy = { metadata: { namespace: 'shop', name: 'tokens', resourceVersion: '2' }, spec: { targetRefs } };
    events.push({ type, object: policy } as unknown as WatchEvent<KubeObject>);
    const isThere = () => informers.sources.policies.security.get(policy.metadata) !== undefined;
    while (isThere() !== (type === 'ADDED')) await settled();
    return [...woken];
  };
  const onRule = { name: route, sectionName: 'first' };
  expect(await by('ADDED', onRule)).toEqual(['shop/catalog']);
  expect(await by('DELETED', onRule)).toEqual(['shop/catalog']);
  expect(await by('ADDED', { name: route })).toEqual([]);
});
