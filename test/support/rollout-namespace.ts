import { FINALIZER, PLAN_ANNOTATION } from '../../src/api/names.ts';
import { encodeRolloutStatus, parseRollout } from '../../src/api/parse.ts';
import { rolloutStatusSchema } from '../../src/api/rollout-status.ts';
import type { Clock } from '../../src/base/clock.ts';
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
import { type KubeObject, keyOf, type ObjectRef } from '../../src/kube/resource.ts';
import type { HttpRoute, RouteRule } from '../../src/traffic/gateway-api/http-route.ts';
import { writeRecord } from '../../src/traffic/gateway-api/record.ts';
import type { JsonPatch } from '../../src/traffic/json-patch.ts';
import { applyPatch } from './json-patch.ts';
import { fullMetric, fullRollout } from './manifests.ts';

const NAMESPACE = 'shop';
const NOW = Date.parse('2026-11-01T10:00:00Z') as EpochMs;

/** Ten seconds before the present of a namespace. */
export const EARLIER = '2026-11-01T09:59:50Z';

/** The status, as it is written, of a Rollout that takes v2 to 25 %; `flight` says how far it is. */
export function statusInFlight(flight: object, epoch = 1) {
  return encodeRolloutStatus(
    rolloutStatusSchema.parse({
      phase: 'Progressing',
      stable: { hash: 'v1', since: EARLIER },
      epoch,
      inFlight: {
        ...{ hash: 'v2', stableHash: 'v1', generation: 2, startedAt: EARLIER, steps: [{ weight: 25 }], step: 0 },
        ...{ stage: 'Holding', stageSince: EARLIER, weightBp: 2500, ...flight },
      },
    }),
  );
}

/** Whoever waits goes on at once, and so much later. */
class HastyClock implements Clock {
  #now: number = NOW;

  now(): EpochMs {
    return this.#now as EpochMs;
  }

  after(ms: number, run: () => void): () => void {
    this.#now += ms;
    setImmediate(run);
    return () => undefined;
  }
}

export const routeTo = (path: string, ...backends: [name: string, weight: number][]): RouteRule => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs: backends.map(([name, weight]) => ({ name, weight, port: 80 })),
});

/** Rollouts, routes and Services of one namespace as caches hold them, and a client that writes into these. */
export class RolloutNamespace {
  /** Writes in order, but those to Rollouts. */
  readonly written: string[] = [];
  readonly clock: Clock = new HastyClock();
  readonly #rollouts = new Cache<CustomObject, keyof typeof indexes.rollouts>(indexes.rollouts);
  readonly #routes = new Cache<HTTPRoute>({});
  readonly #services = new Cache<Service>({});
  #version = 1;
  readonly client = this.#makeClient();

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
    this.#rollouts.put({
      ...rollout,
      metadata: { ...this.#metadata(name), uid: `uid-${name}`, finalizers: [FINALIZER] },
      status,
    });
  }

  addRoute(name: string, rules: readonly RouteRule[], record?: Omit<PlanRecord, 'changedAt'>): void {
    const text = record && writeRecord({ ...record, changedAt: NOW, originals: {} });
    const annotations = { team: 'shop', ...(text === undefined ? {} : { [PLAN_ANNOTATION]: text }) };
    const route = { metadata: { ...this.#metadata(name), annotations }, spec: { parentRefs: [{ name: 'gw' }], rules } };
    this.#routes.put(route as unknown as HTTPRoute);
  }

  addService(name: string, selector: Record<string, string>, labels: Record<string, string> = {}): void {
    const metadata = { ...this.#metadata(name), labels };
    this.#services.put({ metadata, spec: { selector } } as unknown as Service);
  }

  rollout(name: string): CustomObject {
    const rollout = this.#rollouts.getByKey(`${NAMESPACE}/${name}`);
    if (!rollout) throw new Error(`no Rollout ${name}`);
    return rollout;
  }

  route(name: string): HttpRoute {
    return this.#routes.get({ namespace: NAMESPACE, name }) as unknown as HttpRoute;
  }

  rulesOf(route: string): readonly RouteRule[] {
    return this.route(route).spec.rules ?? [];
  }

  weightsOf(route: string): (readonly [string, number | undefined])[] {
    return this.rulesOf(route).flatMap(({ backendRefs = [] }) =>
      backendRefs.map(({ name, weight }) => [name, weight] as const),
    );
  }

  annotationsOf(route: string): Readonly<Record<string, string>> | undefined {
    return this.#routes.get({ namespace: NAMESPACE, name: route })?.metadata.annotations;
  }

  services(): (readonly [string, Readonly<Record<string, string>> | undefined])[] {
    return [...this.#services.list()].map(({ metadata, spec }) => [metadata.name, spec?.selector] as const);
  }

  hasRollout(name: string): boolean {
    return this.#rollouts.getByKey(`${NAMESPACE}/${name}`) !== undefined;
  }

  gathered(name: string): Gathered {
    const gathered = gather(this.#sources(), newMemory(), `${NAMESPACE}/${name}`, this.clock.now());
    if (!gathered) throw new Error(`no Rollout ${name}`);
    return gathered;
  }

  /** What the writes of a decision over the present state get. */
  writing(name: string): WriteContext {
    const { client, clock } = this;
    const { signal } = new AbortController();
    const gathered = this.gathered(name);
    return {
      client,
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

  #makeClient(): KubeClient {
    const caches: Readonly<Record<string, Cache<never>>> = {
      ...{ rollouts: this.#rollouts, httproutes: this.#routes, services: this.#services },
    } as never;
    const client = {
      list: ({ plural }: Kind) => Promise.resolve({ items: [...(caches[plural]?.list() ?? [])] }),
      patch: (resource: Kind, ref: ObjectRef, { json, merge }: Patch) => {
        const before = this.#note('patch', resource, ref, caches[resource.plural]);
        const after = json ? applyPatch(before as never, json) : merged(before, merge);
        return Promise.resolve(this.#put(caches[resource.plural], after as KubeObject));
      },
      replace: (resource: Kind, object: KubeObject) => {
        this.#note('replace', resource, object.metadata, caches[resource.plural]);
        return Promise.resolve(this.#put(caches[resource.plural], object));
      },
      delete: (resource: Kind, ref: ObjectRef) => {
        const before = this.#note('delete', resource, ref, caches[resource.plural]);
        const deletionTimestamp = new Date(this.clock.now()).toISOString();
        this.#put(caches[resource.plural], { ...before, metadata: { ...before.metadata, deletionTimestamp } });
        return Promise.resolve();
      },
    };
    return client as unknown as KubeClient;
  }

  #note(verb: string, { plural }: Kind, ref: ObjectRef, cache: Cache<never> | undefined): KubeObject {
    if (plural !== 'rollouts') this.written.push(`${verb} ${plural} ${ref.name}`);
    const object = cache?.get(ref);
    if (!object) throw new Error(`no ${plural} ${ref.name}`);
    return object;
  }

  /** An object that is deleted stays as long as it has a finalizer. */
  #put(cache: Cache<never> | undefined, object: KubeObject): KubeObject {
    const { metadata } = object;
    if (metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length) {
      cache?.remove(keyOf(metadata));
      return object;
    }
    const written = { ...object, metadata: { ...metadata, resourceVersion: String(this.#version++) } };
    cache?.put(written as never);
    return written;
  }
}

interface Kind {
  readonly plural: string;
}
interface Patch {
  readonly json?: JsonPatch;
  readonly merge?: object;
}

/** RFC 7396. */
function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const into = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
  const changed = Object.entries(patch).map(([key, value]) => [key, merged(into[key], value)] as const);
  const all = { ...into, ...Object.fromEntries(changed) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
