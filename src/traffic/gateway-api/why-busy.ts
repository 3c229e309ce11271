import type { HttpRoute } from './http-route.ts';
import { readRecord } from './record.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { RouteContext } from './route-context.ts';

/**
 * Why a Rollout must not write to a route now: one route carries one record, and rules appended for two Rollouts could not
 * both keep their index (docs/decisions/0222). A record whose Rollout is gone, or has nothing in flight, is nobody's.
 */
export function whyBusy(route: HttpRoute, context: Pick<RouteContext, 'rolloutUid' | 'inFlight'>): Refusal | undefined {
  const holder = readRecord(route)?.rollout;
  const name = holder === undefined || holder === context.rolloutUid ? undefined : context.inFlight[holder];
  if (name === undefined) return undefined;
  const { name: routeName } = route.metadata;
  const message = `the route ${routeName} is steered by the Rollout ${name} until its rollout is over`;
  return { ...refuse('SLUICE_ROUTE_BUSY', message), passing: true };
}
