import { describe, expect, test } from 'vitest';
import { rolloutSpecSchema } from '../../../../src/api/rollout.ts';
import { rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import { silent } from '../../../../src/base/logger.ts';
import { newMemory } from '../../../../src/controllers/rollout/memory.ts';
import { indexes, type Sources } from '../../../../src/controllers/rollout/sources.ts';
import type { WriteContext } from '../../../../src/controllers/rollout/write-context.ts';
import { attachPolicies, detachPolicies } from '../../../../src/controllers/rollout/write-policies.ts';
import type { EnvoyObject, HTTPRoute } from '../../../../src/kube/builtins.ts';
import { Cache } from '../../../../src/kube/cache.ts';
import type { KubeClient, Selection } from '../../../../src/kube/client.ts';
import type { KubeObject, ObjectRef, Resource } from '../../../../src/kube/resource.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const HOME = 'sluice-system';
const ours = { 'app.kubernetes.io/managed-by': 'sluice' };
const stickiness = { unit: [{ header: 'x-user-id' }] };

type Stored = KubeObject & { readonly kind?: string; readonly spec?: object };

/** An API server that has Rollouts called as their routes, behind the Gateway `infra/public`. */
class Cluster {
  readonly #security = new Cache<EnvoyObject, keyof typeof indexes.securityPolicies>(indexes.securityPolicies);
  readonly #caches: Readonly<Record<string, Cache<never, never>>> = {
    securitypolicies: this.#security,
    clienttrafficpolicies: new Cache({}),
    referencegrants: new Cache({}),
  } as never;
  readonly #routes = new Cache<HTTPRoute>({});
  #version = 1;

  put(plural: string, object: object): void {
    const { metadata, ...rest } = object as Stored;
    const resourceVersion = String(this.#version++);
    const stored = { ...rest, metadata: { uid: resourceVersion, ...metadata, resourceVersion } };
    this.#caches[plural]?.put(stored as never);
  }

  /** What there is, by kind and name. */
  names(): string[] {
    return Object.entries(this.#caches).flatMap(([plural, cache]) =>
      [...cache.list()].map(({ metadata }: Stored) => `${plural} ${metadata.namespace}/${metadata.name}`),
    );
  }

  /** A SecurityPolicy of somebody else, with what this Rollout needs. */
  addTheirCheck(rollout: string): void {
    this.put('securitypolicies', {
      metadata: { name: `theirs-${rollout}`, namespace: 'shop' },
      spec: {
        targetRefs: [{ kind: 'HTTPRoute', name: rollout }],
        mergeType: 'StrategicMerge',
        extAuth: {
          failOpen: true,
          recomputeRoute: true,
          contextExtensions: [
            { name: 'sluice-rollout', type: 'Value', value: `shop/${rollout}` },
            { name: 'sluice-units', type: 'Value', value: 'header:x-user-id' },
          ],
          grpc: {
            backendRefs: [{ group: '', kind: 'Service', namespace: HOME, name: 'sluice-evaluator', port: 8018 }],
          },
        },
      },
    });
  }

  /** With '' nobody says which namespace is the operator's, as for who releases a Rollout without one. */
  writing(rollout: string, presetNamespace = HOME): WriteContext {
    const metadata = { name: rollout, namespace: 'shop', uid: `uid-${rollout}` };
    this.#routes.put({
      metadata: { ...metadata, resourceVersion: '1' },
      spec: { parentRefs: [{ name: 'public', namespace: 'infra' }] },
    } as unknown as HTTPRoute);
    const spec = rolloutSpecSchema.parse({
      workload: { name: rollout },
      traffic: { service: rollout, stickiness, router: { gatewayAPI: { httpRoutes: [{ name: rollout }] } } },
      steps: [{ weight: 5 }],
    });
    const status = rolloutStatusSchema.parse({});
    const { securitypolicies, clienttrafficpolicies, referencegrants } = this.#caches;
    const named = (object: object) => ({ get: () => object });
    const sources = {
      presetNamespace,
      httpRoutes: this.#routes,
      gateways: named({ metadata: {}, spec: { gatewayClassName: 'eg' } }),
      gatewayClasses: named({ spec: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' } }),
      policies: {
        ...{ security: securitypolicies, clientTraffic: clienttrafficpolicies, grants: referencegrants },
        ...{ isServed: () => true, isKnown: () => true },
      },
    } as unknown as Sources;
    const observed = { spec, status: { ...status, inFlight: { stickiness: spec.traffic.stickiness } } };
    return {
      ...{ client: this.#client(), sources, clock: new FakeClock(), logger: silent, memory: newMemory() },
      gathered: { rollout: { metadata }, observed, sets: [], records: [] },
      signal: new AbortController().signal,
    } as unknown as WriteContext;
  }

  #client(): KubeClient {
    const client = {
      apply: async ({ plural }: Resource<KubeObject>, object: object) => this.put(plural, object),
      list: async ({ plural }: Resource<KubeObject>, { namespace, labelSelector }: Selection) => {
        const wanted = (labelSelector ?? '').split(',').filter((term) => term !== '');
        const items = [...(this.#caches[plural]?.list() ?? [])].filter(
          ({ metadata }: Stored) =>
            (namespace === undefined || metadata.namespace === namespace) &&
            wanted.every((term) => Object.entries(metadata.labels ?? {}).some((label) => label.join('=') === term)),
        );
        return { items };
      },
      delete: async ({ plural }: Resource<KubeObject>, ref: ObjectRef) =>
        void this.#caches[plural]?.remove(`${ref.namespace}/${ref.name}`),
    };
    return client as unknown as KubeClient;
  }
}

const strip = 'clienttrafficpolicies infra/sluice-public';

describe('with a SecurityPolicy of somebody else', () => {
  test('the grant is written, and nothing beside that policy', async () => {
    const cluster = new Cluster();
    cluster.addTheirCheck('web');
    await attachPolicies(cluster.writing('web'));
    expect(cluster.names()).toEqual([
      'securitypolicies shop/theirs-web',
      strip,
      'referencegrants sluice-system/sluice-shop.web',
    ]);
  });

  test('a Rollout that ends leaves what keeps forged headers out as long as another needs it', async () => {
    const cluster = new Cluster();
    cluster.addTheirCheck('web');
    await attachPolicies(cluster.writing('api'));
    await attachPolicies(cluster.writing('web'));
    await detachPolicies(cluster.writing('api'));
    expect(cluster.names()).toEqual([
      'securitypolicies shop/theirs-web',
      strip,
      'referencegrants sluice-system/sluice-shop.web',
    ]);
    await detachPolicies(cluster.writing('web'));
    expect(cluster.names()).toEqual(['securitypolicies shop/theirs-web']);
  });

  test('its grant is found without an operator too', async () => {
    const cluster = new Cluster();
    cluster.addTheirCheck('web');
    await attachPolicies(cluster.writing('web'));
    await detachPolicies(cluster.writing('web', ''));
    expect(cluster.names()).toEqual(['securitypolicies shop/theirs-web']);
  });
});

test('where nobody knows the namespace of the operator, what Rollouts share stays', async () => {
  const cluster = new Cluster();
  await attachPolicies(cluster.writing('api'));
  await detachPolicies(cluster.writing('web', ''));
  expect(cluster.names()).toContain(strip);
});

test('a grant of somebody else is not taken away, whatever it is called', async () => {
  const cluster = new Cluster();
  cluster.put('referencegrants', { metadata: { name: 'sluice-shop.web', namespace: HOME } });
  cluster.put('clienttrafficpolicies', {
    metadata: { name: 'sluice-public', namespace: 'infra', labels: ours },
    spec: { targetRefs: [{ kind: 'Gateway', name: 'public' }] },
  });
  await detachPolicies(cluster.writing('web'));
  expect(cluster.names()).toEqual(['referencegrants sluice-system/sluice-shop.web']);
});
