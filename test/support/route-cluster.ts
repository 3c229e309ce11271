import { isDeepStrictEqual } from 'node:util';
import type { DurationMs, EpochMs } from '../../src/base/units.ts';
import type { RoutePlan, RouteProgress } from '../../src/core/rollout/route-plan.ts';
import { change } from '../../src/traffic/gateway-api/change.ts';
import type { HttpRoute, RouteRule } from '../../src/traffic/gateway-api/http-route.ts';
import { lower } from '../../src/traffic/gateway-api/lower.ts';
import { observe } from '../../src/traffic/gateway-api/observe.ts';
import type { RouteContext } from '../../src/traffic/gateway-api/route-context.ts';
import { sawTakenIn, type TakenIn } from '../../src/traffic/gateway-api/taken-in.ts';
import type { JsonPatch } from '../../src/traffic/json-patch.ts';
import { applyPatch } from './json-patch.ts';

export const services = { user: 'catalog', stable: 'catalog-stable', canary: 'catalog-canary' };
export const envoyGateway = {
  controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
  supportedFeatures: [],
};
const START = 1_800_000_000_000;
const SETTLE_MS = 2000 as DurationMs;
const STEP_MS = 1000;
const MOST_STEPS = 60;

/** One route in an API server, and gateways that take in each generation after `lagMs`; time moves by `tick`. */
export class RouteCluster {
  route: HttpRoute;
  now = START as EpochMs;
  epoch = 1;
  gateways: RouteContext['gateways'] = [envoyGateway];
  lagMs = 0;
  #takesInAt = START;
  #takenIn: TakenIn | undefined;
  readonly patches: JsonPatch[] = [];

  constructor(route: HttpRoute) {
    this.route = route;
    this.takeIn();
  }

  context(plan: RoutePlan): RouteContext {
    return {
      ...{
        plan,
        services,
        rolloutUid: 'uid-1',
        inFlight: {},
        revision: 'rev-2',
        epoch: this.epoch,
        settleMs: SETTLE_MS,
      },
      ...{ now: this.now, neverValue: 'nobody-sends-this', gateways: this.gateways },
      ...{ controllers: {}, takenIn: this.#takenIn },
    };
  }

  rules(): readonly RouteRule[] {
    return this.route.spec.rules ?? [];
  }

  tick(ms = STEP_MS): void {
    this.now = (this.now + ms) as EpochMs;
    if (this.now >= this.#takesInAt) this.takeIn();
  }

  /** As the API server: the generation counts changes of spec, the resource version counts all. */
  patch(patch: JsonPatch): void {
    this.patches.push(patch);
    this.write(applyPatch(this.route, patch));
    if (this.lagMs === 0) this.takeIn();
  }

  write(route: HttpRoute): void {
    const { metadata } = this.route;
    const generation = (metadata.generation ?? 0) + (isDeepStrictEqual(route.spec, this.route.spec) ? 0 : 1);
    const resourceVersion = String(Number(metadata.resourceVersion ?? 0) + 1);
    this.route = { ...route, metadata: { ...route.metadata, generation, resourceVersion } };
    this.#takesInAt = this.now + this.lagMs;
  }

  /** Seen at once. */
  takeIn(): void {
    this.route = { ...this.route, status: programmed(this.route) };
    const asked = { rolloutUid: 'uid-1', controllers: {}, now: this.now };
    this.#takenIn = sawTakenIn(this.#takenIn, this.route, asked);
  }

  /** One look at the route: a patch if one is due, else time passes. Answers what it saw before. */
  step(plan: RoutePlan): RouteProgress {
    const context = this.context(plan);
    const { progress } = observe(this.route, context);
    const patch = change(this.route, context);
    if ((progress.kind === 'Due') !== (patch !== undefined)) throw new Error(`${progress.kind}, but ${patch}`);
    if (patch) this.patch(patch);
    else this.tick();
    return progress;
  }

  /** Steps until the plan is reached or refused, with a look at every state. */
  walk(plan: RoutePlan, look: (rules: readonly RouteRule[]) => void = () => {}): RouteProgress {
    let progress: RouteProgress | undefined;
    for (let i = 0; i < MOST_STEPS; i++) {
      progress = this.step(plan);
      if (progress.kind === 'AtPlan' || progress.kind === 'Refused') return progress;
      look(this.rules());
    }
    throw new Error(
      `not at ${JSON.stringify(plan)} after ${MOST_STEPS} steps: ${JSON.stringify([progress, this.rules()])}`,
    );
  }

  lower(verdict: 'Go' | 'RolledBack' = 'RolledBack'): JsonPatch | undefined {
    const patch = lower(this.route, { ...this.context({ kind: 'Original' }), verdict });
    if (patch) this.patch(patch);
    return patch;
  }
}

function programmed({ metadata, spec }: HttpRoute): NonNullable<HttpRoute['status']> {
  const observedGeneration = metadata.generation ?? 0;
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
    type,
    status: 'True',
    reason: type,
    observedGeneration,
  }));
  return { parents: (spec.parentRefs ?? []).map((parentRef) => ({ parentRef, conditions })) };
}
