import { type PatchOp, pointer } from '../json-patch.ts';
import { sameJson } from '../same-json.ts';
import type { RuleChanges } from './advance.ts';
import { type Names, refersTo } from './find-rules.ts';
import type { BackendRef, RouteFilter, RouteRule } from './http-route.ts';
import { isOurMirror } from './mirror.ts';

/**
 * The operations that turn the rules as read into `changes`, on our own paths only. Each rule that is touched is tested
 * first: our Services must still stand at these places, so a write that meets other rules fails as a whole.
 */
export function rulePatch(before: readonly RouteRule[], changes: RuleChanges, names: Names): PatchOp[] {
  const changed = before.flatMap((rule, i) => {
    const after = changes.rules[i];
    return after && !sameJson(rule, after)
      ? [...testBackends(i, rule, names), ...changeRule(i, rule, after, names)]
      : [];
  });
  // From the end, so that no index moves before its turn.
  const removed = before
    .map((rule, i) => (changes.rules[i] ? [] : [...testBackends(i, rule, names), remove('spec', 'rules', i)]))
    .reverse()
    .flat();
  return [...changed, ...removed, ...changes.appended.map((rule) => add(rule, 'spec', 'rules', '-'))];
}

function testBackends(index: number, rule: RouteRule, names: Names): PatchOp[] {
  const ours = Object.values(names.services);
  return (rule.backendRefs ?? []).flatMap((ref, i): PatchOp[] =>
    ours.some((service) => refersTo(ref, service, names))
      ? [{ op: 'test', path: pointer('spec', 'rules', index, 'backendRefs', i, 'name'), value: ref.name }]
      : [],
  );
}

function changeRule(index: number, before: RouteRule, after: RouteRule, names: Names): PatchOp[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const differing = [...fields].filter((field) => !sameJson(before[field], after[field]));
  const ops = differing.map((field) => {
    if (field === 'backendRefs') return changeBackends(index, before.backendRefs, after.backendRefs);
    if (field === 'filters') return changeFilters(index, before.filters, after.filters, names);
    return field === 'matches' ? [replace(after.matches, 'spec', 'rules', index, 'matches')] : undefined;
  });
  // Something that Sluice copied from the user's rule into its own changed there.
  return ops.every((op) => op !== undefined) ? ops.flat() : [replace(after, 'spec', 'rules', index)];
}

function changeBackends(
  index: number,
  before: readonly BackendRef[] = [],
  after: readonly BackendRef[] = [],
): PatchOp[] {
  const path = ['spec', 'rules', index, 'backendRefs'];
  const weightsOnly =
    before.length === after.length &&
    before.every((ref, i) => sameJson({ ...ref, weight: 0 }, { ...after[i], weight: 0 }));
  if (!weightsOnly) return [test(before, ...path), replace(after, ...path)];
  return after.flatMap(({ weight }, i) => {
    if (weight === before[i]?.weight) return [];
    if (weight === undefined) return [remove(...path, i, 'weight')];
    return [
      before[i]?.weight === undefined ? add(weight, ...path, i, 'weight') : replace(weight, ...path, i, 'weight'),
    ];
  });
}

/** Our mirror comes, changes or goes; the other filters stay as they are. `undefined` where more than that differs. */
function changeFilters(
  index: number,
  before: readonly RouteFilter[] | undefined,
  after: readonly RouteFilter[] | undefined,
  names: Names,
): PatchOp[] | undefined {
  const path = ['spec', 'rules', index, 'filters'];
  const others = (filters: readonly RouteFilter[] = []) => filters.filter((filter) => !isOurMirror(filter, names));
  if (!sameJson(others(before), others(after))) return undefined;
  const mirror = after?.find((filter) => isOurMirror(filter, names));
  const places = (before ?? []).flatMap((filter, i) => (isOurMirror(filter, names) ? [i] : []));
  const tests = places.map((i) => test(names.services.canary, ...path, i, 'requestMirror', 'backendRef', 'name'));
  if (!before || !after || places.length > 1) {
    return [...tests, after ? add(after, ...path) : remove(...path)];
  }
  const [place] = places;
  if (place === undefined) return [add(mirror, ...path, '-')];
  return [...tests, mirror ? replace(mirror, ...path, place) : remove(...path, place)];
}

const test = (value: unknown, ...path: (string | number)[]): PatchOp => ({ op: 'test', path: pointer(...path), value });
const add = (value: unknown, ...path: (string | number)[]): PatchOp => ({ op: 'add', path: pointer(...path), value });
const replace = (value: unknown, ...path: (string | number)[]): PatchOp => ({
  op: 'replace',
  path: pointer(...path),
  value,
});
const remove = (...path: (string | number)[]): PatchOp => ({ op: 'remove', path: pointer(...path) });
