import type { TestContext } from 'vitest';
import { OPERATOR_NAMESPACE } from '../../hack/demo/install.ts';
import type { RolloutSpecInput } from '../../src/api/rollout.ts';
import { bucketOf } from '../../src/core/evaluation/hash.ts';
import { gatewayUrl, kubectl } from './cluster.ts';
import { People } from './people.ts';
import { givenShop, type Shop } from './rollout-scenario.ts';
import { hostOf, type ShopOptions } from './shop-manifests.ts';
import { reconfigureSluice } from './sluice-install.ts';

export const EVALUATOR = ['-n', OPERATOR_NAMESPACE, 'deployment/sluice-evaluator'] as const;
const REPLICAS = 2;

const stickiness = { unit: [{ cookie: 'sluice-unit' }, { header: 'x-user-id' }] };

/** A person lets each weight pass, so that a test can look at it as long as it wants. */
export const stepsOf = (...weights: readonly number[]): RolloutSpecInput['steps'] =>
  weights.flatMap((weight) => [{ weight, hold: '1s' }, { approve: {} }]);

/** A shop whose Rollout moves people, with the evaluators of its gateway. */
export async function givenStickyShop(context: TestContext, options: ShopOptions): Promise<Shop> {
  const shop = await givenShop(context, options);
  await reconfigureSluice('evaluator.enabled=true', `evaluator.replicas=${REPLICAS}`);
  await shop.change({ traffic: { stickiness } });
  return shop;
}

/** `count` people of this shop, each known by a header; whatever `headers` says is sent by all. */
export async function peopleOf(
  { namespace }: Shop,
  count: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<People> {
  return new People({
    url: await gatewayUrl(),
    host: hostOf(namespace),
    users: Array.from({ length: count }, (_, i) => `user-${i}`),
    headersOf: (user) => ({ 'x-user-id': user, ...headers }),
  });
}

/** Waits until a person is asked at this weight. */
export const weightReached = (shop: Shop, percent: number) =>
  shop.reaches(function atWeight({ status: { phase, inFlight } }) {
    return phase === 'AwaitingApproval' && inFlight?.weightBp === percent * 100;
  });

/** Whether the canary is for this person, by the published hash alone. */
export const isAdmitted = ({ namespace }: Shop, hash: string, user: string, percent: number): boolean =>
  bucketOf(`rollout/${namespace}/shop@${hash}`, user) < percent * 100;

/** Requests so far for which the gateway's Envoy got no answer of an evaluator. */
export async function failOpens(): Promise<number> {
  const namespace = 'envoy-gateway-system';
  const selector = 'gateway.envoyproxy.io/owning-gateway-name=sluice-demo';
  const pods = await kubectl([
    '-n',
    namespace,
    'get',
    'pods',
    '-l',
    selector,
    '-o',
    'jsonpath={.items[*].metadata.name}',
  ]);
  const counts = await Promise.all(
    pods.split(' ').map(async (pod) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}:19001/proxy/stats/prometheus`;
      const text = await kubectl(['get', '--raw', path]);
      const found = text.matchAll(/^envoy_\w*ext_authz_failure_mode_allowed\{[^}]*\} (\d+)/gm);
      return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

export const scaleEvaluators = (replicas: number) => kubectl(['scale', ...EVALUATOR, `--replicas=${replicas}`]);

/** All of them again, whatever a test did. */
export const healEvaluators = async (): Promise<void> => {
  await scaleEvaluators(REPLICAS);
  await kubectl(['rollout', 'status', ...EVALUATOR, '--timeout=120s']);
};
