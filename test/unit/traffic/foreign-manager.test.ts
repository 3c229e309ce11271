import { expect, test } from 'vitest';
import type { WeightBp } from '../../../src/base/units.ts';
import type { RoutePlan } from '../../../src/core/rollout/route-plan.ts';
import { change } from '../../../src/traffic/gateway-api/change.ts';
import {
  foreignManager,
  noReverts,
  type RevertWatch,
  sawRoute,
  wroteRoute,
} from '../../../src/traffic/gateway-api/foreign-manager.ts';
import type { HttpRoute, ManagedFields, RouteRule } from '../../../src/traffic/gateway-api/http-route.ts';
import { observe } from '../../../src/traffic/gateway-api/observe.ts';
import { RouteCluster, services } from '../../support/route-cluster.ts';

const usersRules: RouteRule[] = [
  { backendRefs: [{ group: '', kind: 'Service', name: 'catalog', port: 80, weight: 1 }] },
];
const plan: RoutePlan = { kind: 'Split', canaryBp: 500 as WeightBp };

/** A controller with its memory, beside a GitOps tool that may apply its own rules by force. */
class Fight extends RouteCluster {
  watch: RevertWatch = noReverts;

  constructor() {
    super({
      metadata: { name: 'catalog', namespace: 'shop' },
      spec: { parentRefs: [{ name: 'gw' }], rules: usersRules },
    });
  }

  seconds(count: number): void {
    for (let i = 0; i < count; i++) this.second();
  }

  second(): void {
    this.watch = sawRoute(this.watch, this.route, services, this.now);
    const patch = change(this.route, this.context(plan));
    if (patch) {
      this.patch(patch);
      this.route = managedBy(this.route, 'sluice', this.now);
      this.watch = wroteRoute(this.watch, this.route, services);
    }
    this.tick();
  }

  applyByForce(rules: readonly RouteRule[] = usersRules): void {
    this.write(managedBy({ ...this.route, spec: { ...this.route.spec, rules } }, 'argocd-controller', this.now));
    this.takeIn();
  }

  named(): string | undefined {
    return foreignManager(this.watch, this.now);
  }
}

function managedBy(route: HttpRoute, manager: string, at: number): HttpRoute {
  const entry = (name: string, time: number, operation: string): ManagedFields => ({
    ...{ manager: name, operation, time: new Date(time).toISOString() },
    fieldsV1: { 'f:spec': { 'f:rules': {} } },
  });
  const managedFields = [
    entry('kubectl-create', at - 1_000_000, 'Update'),
    entry(manager, at, 'Apply'),
    { manager: 'envoy-gateway', operation: 'Update', subresource: 'status', time: new Date(at + 5).toISOString() },
  ];
  return { ...route, metadata: { ...route.metadata, managedFields } };
}

test('a manager that applies the route by force every 5 s is named after its second revert, and rollback still wins', () => {
  const fight = new Fight();
  fight.seconds(5);
  fight.applyByForce();
  fight.seconds(1);
  expect(fight.named()).toBeUndefined();
  fight.seconds(4);
  fight.applyByForce();
  fight.seconds(1);
  expect(fight.named()).toBe('argocd-controller');
  expect(observe(fight.route, fight.context(plan), fight.named()).foreignManager).toBe('argocd-controller');

  fight.seconds(4);
  expect(observe(fight.route, fight.context(plan)).reachesCanary).toBe(true);
  expect(fight.lower()).toBeDefined();
  expect(observe(fight.route, fight.context(plan))).toMatchObject({ reachesCanary: false, canaryBp: 0 });
  fight.applyByForce();
  fight.seconds(20);
  expect(observe(fight.route, fight.context(plan))).toMatchObject({ reachesCanary: false, canaryBp: 0 });
});

test('behind a slow gateway, where each write of ours comes minutes after the last, it is named all the same', () => {
  const fight = new Fight();
  for (let i = 0; i < 2; i++) {
    fight.seconds(100);
    fight.applyByForce();
  }
  fight.seconds(1);
  expect(fight.named()).toBe('argocd-controller');
});

test('a manager that is quiet for a minute is forgotten', () => {
  const fight = new Fight();
  for (let i = 0; i < 2; i++) {
    fight.seconds(5);
    fight.applyByForce();
  }
  fight.seconds(1);
  expect(fight.named()).toBe('argocd-controller');
  fight.seconds(61);
  expect(fight.named()).toBeUndefined();
});

test('one edit, or edits of what is not ours, are no fight', () => {
  const fight = new Fight();
  for (let i = 0; i < 3; i++) {
    fight.seconds(5);
    fight.applyByForce(fight.rules().map((rule) => ({ ...rule, timeouts: { request: `${i}s` } })));
  }
  fight.seconds(1);
  fight.applyByForce();
  fight.seconds(1);
  expect(fight.named()).toBeUndefined();
});

test('a cache that lags behind our own write shows no revert', () => {
  const fight = new Fight();
  fight.seconds(5);
  const stale = managedBy({ ...fight.route, spec: { rules: usersRules } }, 'kubectl', fight.now);
  const old = { ...stale, metadata: { ...stale.metadata, generation: 1 } };
  for (let i = 0; i < 3; i++) fight.watch = sawRoute(fight.watch, old, services, fight.now);
  expect(fight.watch.reverts).toEqual([]);
});
