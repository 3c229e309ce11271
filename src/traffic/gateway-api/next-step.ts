import { after, type EpochMs } from '../../base/units.ts';
import type { RouteProgress } from '../../core/rollout/route-plan.ts';
import { type Allowed, advance, changesAnything, type RuleChanges, type Way } from './advance.ts';
import { whyNotJudged, whyNotProgrammed } from './conditions.ts';
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
  return changesAnything(rules, arrived) ? whatIsAwaited(route, context, record) : { kind: 'AtPlan' };
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
  const settled = record !== undefined && context.now >= settledAt(record, context);
  return {
    raise: settled && !isRolledBack(record, context) && !whyNotProgrammed(route),
    remove: settled && !whyNotJudged(route),
  };
}

const settledAt = (record: StoredRecord, { settleMs }: RouteContext): EpochMs => after(record.changedAt, settleMs);

function whatIsAwaited(route: HttpRoute, context: RouteContext, record: StoredRecord | undefined): NextStep {
  const notYet = whyNotJudged(route);
  if (notYet) return { kind: 'Waiting', ...notYet };
  if (record && context.now < settledAt(record, context)) {
    const until = settledAt(record, context);
    return { kind: 'Waiting', until, reason: 'Settling', message: 'the last change of the route is taking effect' };
  }
  const notProgrammed = whyNotProgrammed(route);
  if (notProgrammed) return { kind: 'Waiting', ...notProgrammed };
  return {
    kind: 'Waiting',
    reason: 'RolledBack',
    message: `revision ${context.revision} was rolled back on this route`,
  };
}
