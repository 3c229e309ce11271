import { after, type EpochMs } from '../../base/units.ts';
import { GATEWAY_PATIENCE_MS, type RouteProgress } from '../../core/rollout/route-plan.ts';
import { type Allowed, advance, changesAnything, type RuleChanges, type Way } from './advance.ts';
import { whyNotAccepted, whyNotJudged, whyNotProgrammed } from './conditions.ts';
import { type Names, namesOf } from './find-rules.ts';
import type { HttpRoute } from './http-route.ts';
import { usesHelpers } from './mirror.ts';
import { ownRecord, readRecord, type StoredRecord } from './record.ts';
import { refuse } from './refusal.ts';
import type { RouteContext } from './route-context.ts';
import { whyBusy } from './why-busy.ts';

/** What is to be done with a route now. */
export type NextStep =
  | Exclude<RouteProgress, { kind: 'Due' }>
  | { readonly kind: 'Due'; readonly changes: RuleChanges; readonly record: StoredRecord | undefined };

type Waiting = Extract<RouteProgress, { kind: 'Waiting' }>;

/** The one place that decides between patch, wait and refusal; `observe` tells it, `change` does it. */
export function nextStep(route: HttpRoute, context: RouteContext): NextStep {
  if (route.kind !== undefined && route.kind !== 'HTTPRoute') {
    return refuse('SLUICE_ROUTE_KIND', `${route.kind} ${route.metadata.name} is not an HTTPRoute`);
  }
  const rules = route.spec.rules ?? [];
  const names = namesOf(route, context.services);
  const stored = readRecord(route);
  const record = ownRecord(route, context.rolloutUid);
  const helpersUsed = rules.some((rule) => usesHelpers(rule, names));
  const isSplit = context.plan.kind === 'Split';
  const busy = whyBusy(route, context);
  if (busy && (helpersUsed || isSplit)) return busy;
  if (stored && !record && helpersUsed && isSplit) {
    return refuse(
      'SLUICE_ROUTE_TAKEN',
      `the route ${route.metadata.name} is steered by the Rollout with uid ${stored.rollout}`,
    );
  }
  if (record && record.revision === context.revision && record.epoch > context.epoch) {
    return { kind: 'Waiting', reason: 'StaleEpoch', message: `the route records a newer decision, ${record.epoch}` };
  }
  const way = wayOf(context, names, record);
  const allowed = allowedNow(route, context, record);
  const changes = advance(rules, way, allowed);
  if (changes.kind === 'Refused') return changes;
  // Without a record nobody knows when the route last changed, so that time starts now.
  const recordLost = helpersUsed && !record;
  if (recordLost || changesAnything(rules, changes)) return { kind: 'Due', changes, record };
  const arrived = advance(rules, way, { raise: true, remove: true });
  if (arrived.kind === 'Refused') return arrived;
  if (changesAnything(rules, arrived)) return whatIsAwaited(route, context, record);
  return (record && whyNotInEffect(route, context, record)) ?? { kind: 'AtPlan' };
}

const wayOf = (context: RouteContext, names: Names, record: StoredRecord | undefined): Way => ({
  plan: context.plan,
  names,
  gateways: context.gateways,
  neverValue: context.neverValue,
  originals: record?.originals ?? {},
});

/** A rollback of this revision stands until a later decision. */
export function isRolledBack(record: StoredRecord | undefined, { revision, epoch }: RouteContext): boolean {
  return record?.verdict === 'RolledBack' && record.revision === revision && record.epoch >= epoch;
}

function allowedNow(route: HttpRoute, context: RouteContext, record: StoredRecord | undefined): Allowed {
  if (!record) return { raise: false, remove: false };
  const takenIn = !whyNotTakenIn(route, context, record);
  return {
    raise: takenIn && !isRolledBack(record, context) && !whyNotProgrammed(route, context.controllers),
    remove: takenIn || isGivenUp(record, context),
  };
}

/** When the gateways were first seen to have judged the change that `record` is of. */
export function takenInSince(record: StoredRecord, { takenIn }: RouteContext): EpochMs | undefined {
  return takenIn?.changedAt === record.changedAt ? takenIn.since : undefined;
}

/** The gateways judge the last change first, and then have time to give it to all their proxies. */
function whyNotTakenIn(route: HttpRoute, context: RouteContext, record: StoredRecord): Waiting | undefined {
  const notYet = whyNotJudged(route, context.controllers);
  return notYet ? { kind: 'Waiting', ...notYet } : whyNotSettled(record, context);
}

function whyNotSettled(record: StoredRecord, context: RouteContext): Waiting | undefined {
  const since = takenInSince(record, context) ?? context.now;
  const until = after(Math.max(since, record.changedAt) as EpochMs, context.settleMs);
  if (context.now >= until) return undefined;
  return { kind: 'Waiting', until, reason: 'Settling', message: 'the last change of the route is taking effect' };
}

/** A gateway that is gone for good says nothing any more, and must keep nobody from getting his route back. */
const isGivenUp = (record: StoredRecord, { plan, now }: RouteContext): boolean =>
  plan.kind === 'Original' && now >= after(record.changedAt, GATEWAY_PATIENCE_MS);

/** Why rules that are the plan's do not count as that yet: a gateway may still send by those before. */
function whyNotInEffect(route: HttpRoute, context: RouteContext, record: StoredRecord): Waiting | undefined {
  const { plan, controllers } = context;
  if (plan.kind === 'Original') {
    const waiting = isGivenUp(record, context) ? undefined : whyNotTakenIn(route, context, record);
    return waiting && { until: after(record.changedAt, GATEWAY_PATIENCE_MS), ...waiting };
  }
  // Once it was taken in, what others change holds up the next change, not what is in effect: it has our rules as well.
  const isTakenIn = takenInSince(record, context) !== undefined;
  const waiting = isTakenIn ? whyNotSettled(record, context) : whyNotTakenIn(route, context, record);
  if (waiting) return waiting;
  // Pods that a backend lacks keep the next raise from being written, and policies of their own say what to do about them.
  const notYet = whyNotAccepted(route, controllers);
  return notYet && !(isTakenIn && notYet.reason === 'NotObserved') ? { kind: 'Waiting', ...notYet } : undefined;
}

function whatIsAwaited(route: HttpRoute, context: RouteContext, record: StoredRecord | undefined): NextStep {
  const waiting = record && whyNotTakenIn(route, context, record);
  if (waiting) return waiting;
  const notProgrammed = whyNotProgrammed(route, context.controllers);
  if (notProgrammed) return { kind: 'Waiting', ...notProgrammed };
  return {
    kind: 'Waiting',
    reason: 'RolledBack',
    message: `revision ${context.revision} was rolled back on this route`,
  };
}
