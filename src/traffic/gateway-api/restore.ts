import type { PlanServices } from '../../core/rollout/route-plan.ts';
import type { JsonPatch } from '../json-patch.ts';
import { changesAnything, type RuleChanges } from './advance.ts';
import { namesOf, type RuleView, viewRules } from './find-rules.ts';
import type { HttpRoute, RouteRule } from './http-route.ts';
import { ourMirror, withMirror } from './mirror.ts';
import { readRecord } from './record.ts';
import { dropRecord, testUnchanged } from './record-patch.ts';
import { rulePatch } from './rule-patch.ts';
import { giveBack } from './split.ts';

/**
 * The route as its user wrote it, at once: for those who cannot wait for gateways (an offline release). A controller goes by
 * the plan `Original` instead, which takes added rules away without losing a request. `undefined` = nothing to do.
 */
export function restore(
  route: HttpRoute,
  services: PlanServices,
  { dropsRecord }: { readonly dropsRecord: boolean },
): JsonPatch | undefined {
  const rules = route.spec.rules ?? [];
  const names = namesOf(route, services);
  const originals = readRecord(route)?.originals ?? {};
  const restored = (view: RuleView): RouteRule | undefined => {
    if (view.kind === 'Appended') return undefined;
    const rule = ourMirror(view.rule, names) ? withMirror(view.rule, undefined, names) : view.rule;
    return view.kind === 'Base' ? giveBack({ ...view, rule }, originals[view.index], names) : rule;
  };
  const changes: RuleChanges = { kind: 'Changes', rules: viewRules(rules, names).map(restored), appended: [] };
  const record = dropsRecord ? (dropRecord(route) ?? []) : [];
  if (!changesAnything(rules, changes) && record.length === 0) return undefined;
  return [...testUnchanged(route), ...rulePatch(rules, changes, names), ...record.filter(({ op }) => op !== 'test')];
}
