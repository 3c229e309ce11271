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

/** A new version whose pods have an evaluator of their own. */
export async function pushWithSidecar(shop: Shop, version: string): Promise<void> {
  const { spec } = await shop.deployment();
  const containers = (spec?.template?.spec?.containers ?? []).map(({ env = [], ...container }) => ({
    ...container,
    env: [...env.filter(({ name }) => name !== 'VERSION'), { name: 'VERSION', value: version }],
  }));
  await shop.changeDeployment({
    template: { metadata: { labels: { 'sluice.dev/inject': 'true' } }, spec: { containers } },
  });
}

/** What the evaluator beside an application says of people, by what the application was told of them. */
export async function sidecarsAnswers(
  { namespace }: Shop,
  pod: string,
  users: readonly string[],
): Promise<Record<string, string>> {
  const script = `
    const url = process.env.OFREP_ENDPOINT + '/ofrep/v1/evaluate/flags/' + encodeURIComponent('rollout/${namespace}/shop');
    const ask = async (targetingKey) => {
      const body = JSON.stringify({ context: { targetingKey } });
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return [targetingKey, (await answer.json()).value];
    };
    const users = ${JSON.stringify(users)};
    Promise.all(users.map(ask)).then((all) => console.log(JSON.stringify(Object.fromEntries(all))));`;
  return JSON.parse(await kubectl(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'node', '-e', script]));
}

export const scaleEvaluators = (replicas: number) => kubectl(['scale', ...EVALUATOR, `--replicas=${replicas}`]);

/** All of them again, whatever a test did. */
export const healEvaluators = async (): Promise<void> => {
  await scaleEvaluators(REPLICAS);
  await kubectl(['rollout', 'status', ...EVALUATOR, '--timeout=120s']);
};
