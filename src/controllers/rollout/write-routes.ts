import { SluiceError } from '../../base/errors.ts';
import type { Write } from '../../core/rollout/decision.ts';
import { type HTTPRoute, httpRoutes } from '../../kube/builtins.ts';
import { isConflict, isPatchTestFailed } from '../../kube/kube-error.ts';
import { change } from '../../traffic/gateway-api/change.ts';
import { wroteRoute } from '../../traffic/gateway-api/foreign-manager.ts';
import type { HttpRoute } from '../../traffic/gateway-api/http-route.ts';
import { lower } from '../../traffic/gateway-api/lower.ts';
import { dropRecord } from '../../traffic/gateway-api/record-patch.ts';
import { whyBusy } from '../../traffic/gateway-api/why-busy.ts';
import { routeContext } from './gather-routes.ts';
import { servicesOf } from './manifests.ts';
import { revertsOf } from './memory.ts';
import { options, refOf, specOf, type WriteContext } from './write-context.ts';

/** One attempt of a safety write; the next goes over a fresh connection. */
const SAFETY_DEADLINE_MS = 5_000;
/** A route that somebody rewrites at every moment is read again this often before the pass fails and the queue repeats it. */
const MOST_READS = 20;

/** Takes all traffic from the canary on every route, in parallel. A route that cannot be lowered does not stop the others. */
export async function lowerRoutes(
  context: WriteContext,
  { verdict }: Extract<Write, { kind: 'Lower' }>,
): Promise<void> {
  const names = specOf(context).traffic.router.gatewayAPI.httpRoutes.map(({ name }) => name);
  const results = await Promise.allSettled(names.map((name) => lowerRoute(context, name, verdict)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function lowerRoute(context: WriteContext, name: string, verdict: 'RolledBack' | 'Lowered'): Promise<void> {
  const { client, sources, clock, gathered, signal } = context;
  const { rollout, observed } = gathered;
  const flight = observed.status.inFlight;
  if (!flight) return;
  const safety = { signal, deadlineMs: SAFETY_DEADLINE_MS, priority: 'safety' as const };
  const ref = refOf(context, name);
  let route = sources.httpRoutes.get(ref);
  // A cache may be behind a raise of our own, so nothing is believed to be done before the API server's own object says so.
  let isFresh = false;
  for (let read = 0; read < MOST_READS; read++) {
    if (!route) return; // a deleted route sends nobody anywhere
    const patch = lower(typed(route), {
      services: servicesOf(specOf(context)),
      rolloutUid: rollout.metadata.uid ?? '',
      revision: flight.hash,
      epoch: observed.status.epoch,
      now: clock.now(),
      verdict,
    });
    if (!patch && isFresh) return;
    try {
      route = patch
        ? await client.patch(httpRoutes, ref, { json: patch }, { ...safety, repeatable: true })
        : await client.get(httpRoutes, ref, safety);
      if (patch && route) remember(context, name, route);
    } catch (error) {
      if (!isPatchTestFailed(error) && !isConflict(error)) throw error;
      route = await client.get(httpRoutes, ref, safety);
    }
    isFresh = true;
  }
  throw new SluiceError('SLUICE_KUBE_PATCH_TEST', `HTTPRoute ${name} changes faster than it can be lowered`, {
    route: name,
  });
}

/**
 * The next patch of each route that is due. A raise names the version that was judged, so a late one cannot succeed. Routes are
 * taken by name, and none after one that another Rollout steers: two that want the same ones never wait for each other.
 */
export async function changeRoutes(context: WriteContext, { plan }: Extract<Write, { kind: 'Route' }>): Promise<void> {
  const names = specOf(context).traffic.router.gatewayAPI.httpRoutes.map(({ name }) => name);
  if (plan.kind === 'Original') await Promise.all(names.map((name) => changeRoute(context, name)));
  else for (const name of names.sort()) if ((await changeRoute(context, name)) === 'Busy') return;
}

async function changeRoute(context: WriteContext, name: string): Promise<'Busy' | undefined> {
  const { client, sources, clock, gathered, memory } = context;
  const { rollout, observed } = gathered;
  const { inFlight: flight, epoch } = observed.status;
  const ref = refOf(context, name);
  const route = sources.httpRoutes.get(ref);
  if (!flight || !route) return;
  const view = routeContext(sources, rollout, specOf(context), memory, flight, epoch, route, clock.now());
  const patch = change(typed(route), view);
  if (patch) remember(context, name, await client.patch(httpRoutes, ref, { json: patch }, options(context)));
  return whyBusy(typed(route), view) ? 'Busy' : undefined;
}

/** After status holds what the records say. */
export async function dropRecords(context: WriteContext): Promise<void> {
  const { client, sources, gathered } = context;
  const uid = gathered.rollout.metadata.uid ?? '';
  for (const { name } of specOf(context).traffic.router.gatewayAPI.httpRoutes) {
    const route = sources.httpRoutes.get(refOf(context, name));
    const patch = route && dropRecord(typed(route), uid);
    if (patch) await client.patch(httpRoutes, refOf(context, name), { json: patch }, options(context));
  }
}

/** So that a revert by another manager is told from our own write. */
function remember({ memory, gathered }: WriteContext, name: string, written: HTTPRoute): void {
  const { spec } = gathered.observed;
  if (spec) memory.reverts.set(name, wroteRoute(revertsOf(memory, name), typed(written), servicesOf(spec)));
}

/** The router reads objects by its own, narrower type. */
const typed = (route: HTTPRoute): HttpRoute => route as unknown as HttpRoute;
