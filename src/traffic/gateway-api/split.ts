import type { WeightBp } from '../../base/units.ts';
import type { Names, PairView, UserView } from './find-rules.ts';
import { refersTo } from './find-rules.ts';
import { type BackendRef, MAX_BACKENDS, type RouteRule, weightOf } from './http-route.ts';
import { type Refusal, refuse } from './refusal.ts';
import { canaryPart, inBasisPoints, inLowestTerms, proportional, type Weights } from './weights.ts';

/** Why the weights of this rule cannot be split without loss. */
export function whyNotSplit(view: UserView | PairView, names: Names): Refusal | undefined {
  const refs = view.rule.backendRefs ?? [];
  const where = `rule ${view.index}`;
  if (refs.some((ref) => ref.filters?.length)) {
    return refuse('SLUICE_ROUTE_BACKEND_FILTERS', `${where} has filters inside backendRefs`);
  }
  const { user, stable, canary } = names.services;
  for (const service of [user, stable, canary]) {
    if (refs.filter((ref) => refersTo(ref, service, names)).length > 1) {
      return refuse('SLUICE_ROUTE_BACKEND_REPEATED', `${where} names the Service ${service} more than once`);
    }
  }
  if (view.kind === 'User' && refs.length >= MAX_BACKENDS) {
    return refuse('SLUICE_ROUTE_LIMIT', `${where} has ${refs.length} backends, so there is no room for the canary`);
  }
  if (!inBasisPoints(weightsOf(view))) {
    return refuse('SLUICE_ROUTE_WEIGHTS', `the weights of ${where} cannot be scaled to 0.01 % within 1,000,000`);
  }
  return undefined;
}

/** The user's Service replaced, in place, by `-stable` with its whole share and `-canary` with none. */
export function takeOver(view: UserView, names: Names): RouteRule {
  const refs = view.rule.backendRefs ?? [];
  const scaled = inBasisPoints(weightsOf(view)) ?? weightsOf(view);
  const others = [...scaled.others];
  const taken = refs.flatMap((ref, i): BackendRef[] =>
    i === view.at
      ? [
          { ...ref, name: names.services.stable, weight: scaled.share },
          { ...ref, name: names.services.canary, weight: 0 },
        ]
      : [reweigh(ref, others.shift())],
  );
  return { ...view.rule, backendRefs: taken };
}

/** The rule with the canary at `canaryBp` of the pair's share. Other backends keep theirs. */
export function split(view: PairView, canaryBp: WeightBp, names: Names): RouteRule {
  return writePair(view, inBasisPoints(weightsOf(view)) ?? weightsOf(view), canaryBp, names);
}

/** As `split` at 0, but never touches another backend: for lowering, which must not fail. */
export function splitLow(view: PairView, names: Names): RouteRule {
  return writePair(view, weightsOf(view), 0 as WeightBp, names);
}

/**
 * The rule with the user's Service alone in place of the pair. Weights become the `originals` (in the order of backendRefs;
 * null = none stood there) unless somebody changed proportions meanwhile: then theirs in lowest terms.
 */
export function giveBack(view: PairView, originals: readonly (number | null)[] | undefined, names: Names): RouteRule {
  const refs = view.rule.backendRefs ?? [];
  const at = view.stableAt >= 0 ? view.stableAt : view.canaryAt;
  const dropped = view.stableAt >= 0 ? view.canaryAt : -1;
  const kept = refs
    .map((ref, i) => (i === at ? { ...ref, name: names.services.user, weight: view.share } : ref))
    .filter((_, i) => i !== dropped);
  const userAt = dropped >= 0 && dropped < at ? at - 1 : at;
  const now = weightsOf(view);
  if (originals?.length === kept.length && proportional(now, toWeights(originals, userAt))) {
    return { ...view.rule, backendRefs: kept.map((ref, i) => reweigh(ref, originals[i] ?? undefined)) };
  }
  const lowest = inLowestTerms(now);
  const others = [...lowest.others];
  return {
    ...view.rule,
    backendRefs: kept.map((ref, i) => reweigh(ref, i === userAt ? lowest.share : others.shift())),
  };
}

/** The weights as they stand, for the record; null where the API server filled nothing in. */
export const originalWeights = (rule: RouteRule): (number | null)[] =>
  (rule.backendRefs ?? []).map((ref) => ref.weight ?? null);

function writePair(view: PairView, weights: Weights, canaryBp: WeightBp, names: Names): RouteRule {
  const canary = canaryPart(weights.share, canaryBp);
  const others = [...weights.others];
  const refs = (view.rule.backendRefs ?? []).flatMap((ref, i): BackendRef[] => {
    if (i === view.stableAt) {
      const stable = { ...ref, weight: weights.share - canary };
      return view.canaryAt < 0 ? [stable, { ...ref, name: names.services.canary, weight: canary }] : [stable];
    }
    if (i === view.canaryAt) {
      const after = { ...ref, weight: canary };
      return view.stableAt < 0
        ? [{ ...ref, name: names.services.stable, weight: weights.share - canary }, after]
        : [after];
    }
    return [reweigh(ref, others.shift())];
  });
  return { ...view.rule, backendRefs: refs };
}

function weightsOf(view: UserView | PairView): Weights {
  const refs = view.rule.backendRefs ?? [];
  if (view.kind === 'User') return toWeights(refs.map(weightOf), view.at);
  const others = refs.filter((_, i) => i !== view.stableAt && i !== view.canaryAt).map(weightOf);
  return { share: view.share, others };
}

function toWeights(weights: readonly (number | null)[], at: number): Weights {
  return { share: weights[at] ?? 1, others: weights.filter((_, i) => i !== at).map((weight) => weight ?? 1) };
}

/** Keeps an absent weight absent where that means the same. */
function reweigh(ref: BackendRef, weight: number | undefined): BackendRef {
  if (weight === undefined) {
    const { weight: _, ...rest } = ref;
    return rest;
  }
  return weightOf(ref) === weight ? ref : { ...ref, weight };
}
