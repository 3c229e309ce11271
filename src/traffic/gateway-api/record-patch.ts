import { PLAN_ANNOTATION } from '../../api/names.ts';
import { type JsonPatch, type PatchOp, pointer } from '../json-patch.ts';
import { sameJson } from '../same-json.ts';
import { pairOf } from './added-rule.ts';
import type { RuleChanges } from './advance.ts';
import { type Names, viewRules } from './find-rules.ts';
import type { HttpRoute } from './http-route.ts';
import { type Originals, ownRecord, type StoredRecord, writeRecord } from './record.ts';
import { giveBack, originalWeights } from './split.ts';

const ANNOTATION = pointer('metadata', 'annotations', PLAN_ANNOTATION);

/** The operations that put the record on the route. On a route without annotations they need `testVersion` before them. */
export function recordPatch(route: HttpRoute, record: StoredRecord): PatchOp[] {
  const value = writeRecord(record);
  if (route.metadata.annotations) return [{ op: 'add', path: ANNOTATION, value }];
  return [{ op: 'add', path: pointer('metadata', 'annotations'), value: { [PLAN_ANNOTATION]: value } }];
}

/** Nobody wrote the route, or its record, since it was read. */
export function testUnchanged(route: HttpRoute): PatchOp[] {
  const record = route.metadata.annotations?.[PLAN_ANNOTATION];
  const same: PatchOp[] = record === undefined ? [] : [{ op: 'test', path: ANNOTATION, value: record }];
  return [...testVersion(route), ...same];
}

/** Takes this Rollout's record off the route; only after status holds what it said. `undefined` = there is none. */
export function dropRecord(route: HttpRoute, rolloutUid: string): JsonPatch | undefined {
  if (!ownRecord(route, rolloutUid)) return undefined;
  const value = route.metadata.annotations?.[PLAN_ANNOTATION];
  return [
    { op: 'test', path: ANNOTATION, value },
    { op: 'remove', path: ANNOTATION },
  ];
}

/** The originals to record: those of rules that are still ours, and of rules that `changes` takes over. */
export function originalsAfter(route: HttpRoute, changes: RuleChanges, before: Originals, names: Names): Originals {
  const rules = route.spec.rules ?? [];
  const after: Record<string, readonly (number | null)[]> = {};
  for (const view of viewRules(rules, names)) {
    const next = changes.rules[view.index];
    const known = before[view.index];
    if (view.kind === 'Base' && known && next && viewRules([next], names)[0]?.kind === 'Base')
      after[view.index] = known;
    if (view.kind !== 'User' || !next || next === view.rule) continue;
    // Kept only where lowest terms would not give the same.
    const restored = giveBack(pairOf(next, view.index, names), undefined, names);
    if (!sameJson(restored, view.rule)) after[view.index] = originalWeights(view.rule);
  }
  return after;
}

/** Nobody wrote the route since it was read. */
export function testVersion(route: HttpRoute): PatchOp[] {
  const { resourceVersion } = route.metadata;
  return resourceVersion === undefined
    ? []
    : [{ op: 'test', path: pointer('metadata', 'resourceVersion'), value: resourceVersion }];
}
