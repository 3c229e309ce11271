import { PLAN_ANNOTATION } from '../../src/api/names.ts';
import { parseRollout } from '../../src/api/parse.ts';
import { silent } from '../../src/base/logger.ts';
import type { EpochMs } from '../../src/base/units.ts';
import { type Gathered, gather } from '../../src/controllers/rollout/gather.ts';
import { newMemory } from '../../src/controllers/rollout/memory.ts';
import { type CustomObject, indexes, type Sources } from '../../src/controllers/rollout/sources.ts';
import type { WriteContext } from '../../src/controllers/rollout/write-context.ts';
import type { PlanRecord } from '../../src/core/rollout/route-plan.ts';
import type { HTTPRoute, Service } from '../../src/kube/builtins.ts';
import { Cache } from '../../src/kube/cache.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { HttpRoute, RouteRule } from '../../src/traffic/gateway-api/http-route.ts';
import { writeRecord } from '../../src/traffic/gateway-api/record.ts';
import { applyPatch } from './json-patch.ts';
import { fullMetric, fullRollout } from './manifests.ts';

const NAMESPACE = 'shop';
const NOW = Date.parse('2026-11-01T10:00:00Z') as EpochMs;

export const routeTo = (path: string, ...backends: [name: string, weight: number][]): RouteRule => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs: backends.map(([name, weight]) => ({ name, weight, port: 80 })),
});

/** Rollouts, routes and Services of one namespace as caches hold them, and a client that writes into these. */
export class RolloutNamespace {
  readonly written: string[] = [];
  readonly #rollouts = new Cache<CustomObject, keyof typeof indexes.rollouts>(indexes.rollouts);
  readonly #routes = new Cache<HTTPRoute>({});
  readonly #services = new Cache<Service>({});
  #version = 1;

  addRollout(
    name: string,
    { service, routes, pinService }: { service: string; routes: readonly string[]; pinService: boolean },
    status: object,
  ): void {
    const rollout = fullRollout();
    const httpRoutes = routes.map((route) => ({ name: route }));
    rollout.spec.workload.name = name;
    rollout.spec.traffic = { service, pinService, router: { gatewayAPI: { httpRoutes } } };
    const parsed = parseRollout(rollout);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    this.#rollouts.put({ ...rollout, metadata: { ...this.#metadata(name), uid: `uid-${name}` }, status });
  }

  removeRollout(name: string): void {
    this.#rollouts.remove(`${NAMESPACE}/${name}`);
  }

  addRoute(name: string, rules: readonly RouteRule[], record?: Omit<PlanRecord, 'changedAt'>): void {
    const text = record && writeRecord({ ...record, changedAt: NOW, originals: {} });
    const annotations = { team: 'shop', ...(text === undefined ? {} : { [PLAN_ANNOTATION]: text }) };
    const route = { metadata: { ...this.#metadata(name), annotations }, spec: { parentRefs: [{ name: 'gw' }], rules } };
    this.#routes.put(route as unknown as HTTPRoute);
  }

  addService(name: string, selector: Record<string, string>): void {
    this.#services.put({ metadata: this.#metadata(name), spec: { selector } } as unknown as Service);
  }

  rollout(name: string): CustomObject {
    const rollout = this.#rollouts.getByKey(`${NAMESPACE}/${name}`);
    if (!rollout) throw new Error(`no Rollout ${name}`);
    return rollout;
  }

  weightsOf(route: string): (readonly [string, number | undefined])[] {
    const { spec } = this.#routes.get({ namespace: NAMESPACE, name: route }) as unknown as HttpRoute;
    return (spec.rules ?? []).flatMap(({ backendRefs = [] }) =>
      backendRefs.map(({ name, weight }) => [name, weight] as const),
    );
  }

  gathered(name: string): Gathered {
    const gathered = gather(this.#sources(), newMemory(), `${NAMESPACE}/${name}`, NOW);
    if (!gathered) throw new Error(`no Rollout ${name}`);
    return gathered;
  }

  /** What the writes of a decision over the present state get. */
  writing(name: string): WriteContext {
    const clock = { now: () => NOW } as WriteContext['clock'];
    const { signal } = new AbortController();
    const gathered = this.gathered(name);
    return {
      client: this.#client(),
      sources: this.#sources(),
      clock,
      logger: silent,
      memory: newMemory(),
      gathered,
      signal,
    };
  }

  #metadata(name: string) {
    return {
      name,
      namespace: NAMESPACE,
      uid: `uid-of-${name}`,
      resourceVersion: String(this.#version++),
      generation: 1,
    };
  }

  #sources(): Sources {
    const nothing = { get: () => undefined, getByKey: () => undefined, byIndex: () => [], list: () => [] };
    const others = ['deployments', 'replicaSets', 'pods', 'endpointSlices', 'controllerRevisions', 'gateways'];
    return {
      ...Object.fromEntries([...others, 'gatewayClasses', 'autoscalers'].map((kind) => [kind, nothing])),
      ...{ rollouts: this.#rollouts, httpRoutes: this.#routes, services: this.#services },
      ...{ metrics: { ...nothing, get: fullMetric }, presetNamespace: 'sluice-system', defaultGuardrails: [] },
      policies: { security: nothing, clientTraffic: nothing, isServed: () => false, isKnown: () => true },
    } as unknown as Sources;
  }

  #client(): KubeClient {
    const note = (verb: string, { plural }: { plural: string }, { name }: { name: string }) =>
      this.written.push(`${verb} ${plural} ${name}`);
    return {
      patch: (resource: never, ref: never, { json }: { json?: never }) => {
        note('patch', resource, ref);
        const route = this.#routes.get(ref);
        if (json && route) this.#routes.put(this.#patched(route, json));
        return Promise.resolve(route);
      },
      delete: (resource: never, ref: never) => Promise.resolve(note('delete', resource, ref)),
    } as unknown as KubeClient;
  }

  #patched(route: HTTPRoute, json: Parameters<typeof applyPatch>[1]): HTTPRoute {
    const { metadata, ...rest } = applyPatch(route as unknown as HttpRoute, json);
    const resourceVersion = String(this.#version++);
    const generation = (metadata.generation ?? 0) + 1;
    return { ...rest, metadata: { ...metadata, resourceVersion, generation } } as unknown as HTTPRoute;
  }
}
