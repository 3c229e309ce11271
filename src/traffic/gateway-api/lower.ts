import type { EpochMs } from '../../base/units.ts';
import type { PlanRecord, PlanServices } from '../../core/rollout/route-plan.ts';
import type { JsonPatch } from '../json-patch.ts';
import { changesAnything, type RuleChanges } from './advance.ts';
import { isPair, namesOf, type RuleView, viewRules } from './find-rules.ts';
import type { HttpRoute, RouteRule } from './http-route.ts';
import { ourMirror, usesHelpers, withMirror } from './mirror.ts';
import { ownRecord, readRecord, type StoredRecord } from './record.ts';
import { originalsAfter, recordPatch, testVersion } from './record-patch.ts';
import { rulePatch } from './rule-patch.ts';
import { splitLow, takeOver } from './split.ts';

export interface LowerContext {
  readonly services: PlanServices;
  readonly rolloutUid: string;
  readonly revision: string;
  readonly epoch: number;
  readonly now: EpochMs;
  /** `RolledBack` ends the revision on this route; `Go` where the canary only cannot serve at the moment. */
  readonly verdict: PlanRecord['verdict'];
}

/**
 * One patch after which nothing reaches the canary: in every rule of ours stable has the whole share, and no mirror is left.
 * Conditions, settle times and foreign managers do not matter, and it tests only that our Services stand where they
 * stood. Where it fails, read again and repeat. A route that already went back to the user's own Service, which then selects
 * the canary, is taken over. A record of another Rollout stays as it is, and keeps nobody from taking his own traffic back.
 * `undefined` = not ours (any more), or nothing to do.
 */
export function lower(route: HttpRoute, context: LowerContext): JsonPatch | undefined {
  const rules = route.spec.rules ?? [];
  const names = namesOf(route, context.services);
  const { rolloutUid: rollout, revision } = context;
  const record = ownRecord(route, rollout);
  const isAnothers = !record && readRecord(route) !== undefined;
  if (record && record.revision !== revision) return undefined;

  const wentBack = record?.verdict === 'Go';
  const lowered = (view: RuleView): RouteRule => {
    if (isPair(view)) return withMirror(splitLow(view, names), undefined, names);
    if (view.kind === 'User' && wentBack) return takeOver(view, names);
    return ourMirror(view.rule, names) ? withMirror(view.rule, undefined, names) : view.rule;
  };
  const changes: RuleChanges = { kind: 'Changes', rules: viewRules(rules, names).map(lowered), appended: [] };
  if (isAnothers) return changesAnything(rules, changes) ? rulePatch(rules, changes, names) : undefined;
  const verdict = record?.verdict === 'RolledBack' && record.epoch >= context.epoch ? 'RolledBack' : context.verdict;
  const ours = record?.verdict === 'Go' || rules.some((rule) => usesHelpers(rule, names));
  const said = record?.verdict === verdict && record.epoch >= context.epoch;
  if (!changesAnything(rules, changes) && (said || !ours)) return undefined;

  const epoch = Math.max(context.epoch, record?.epoch ?? 0);
  const originals = originalsAfter(route, changes, record?.originals ?? {}, names);
  const written: StoredRecord = { rollout, revision, epoch, verdict, changedAt: context.now, originals };
  // Adding the first annotation replaces the whole map, so nobody may have put one there since the route was read.
  const tests = route.metadata.annotations ? [] : testVersion(route);
  return [...tests, ...rulePatch(rules, changes, names), ...recordPatch(route, written)];
}
