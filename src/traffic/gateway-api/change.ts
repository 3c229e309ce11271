import type { JsonPatch } from '../json-patch.ts';
import { namesOf } from './find-rules.ts';
import type { HttpRoute } from './http-route.ts';
import { isRolledBack, nextStep } from './next-step.ts';
import { originalsAfter, recordPatch, testUnchanged } from './record-patch.ts';
import type { RouteContext } from './route-context.ts';
import { rulePatch } from './rule-patch.ts';

/**
 * The next patch towards the plan, or `undefined` when there is nothing to do now (`observe` says why). It applies only to
 * the route as read: tests on resourceVersion and on the record keep a late write of a former leader from raising.
 */
export function change(route: HttpRoute, context: RouteContext): JsonPatch | undefined {
  const step = nextStep(route, context);
  if (step.kind !== 'Due') return undefined;
  const names = namesOf(route, context.services);
  const { rolloutUid: rollout, revision, epoch, now: changedAt } = context;
  const verdict = isRolledBack(step.record, context) ? 'RolledBack' : 'Go';
  const originals = originalsAfter(route, step.changes, step.record?.originals ?? {}, names);
  return [
    ...testUnchanged(route),
    ...rulePatch(route.spec.rules ?? [], step.changes, names),
    ...recordPatch(route, { rollout, revision, epoch, verdict, changedAt, originals }),
  ];
}
