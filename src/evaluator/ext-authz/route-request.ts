import type { Answer } from '../../core/evaluation/answer.ts';
import { evaluate } from '../../core/evaluation/evaluate.ts';
import type { HeldRuleset } from '../../rulesets/holder.ts';
import {
  parseUnitSources,
  ROLLOUT_EXTENSION,
  rolloutFlagKey,
  UNIT_COOKIE,
  UNITS_EXTENSION,
} from '../../wire/per-user-routing.ts';
import type { CheckRequest } from './check-request.ts';
import type { Routing } from './check-response.ts';
import { isNavigation, newUnit, setCookieOf, unitOf } from './unit.ts';

/** Why a request is routed as it is. Metrics have it as a label, so the set is closed. */
export type RoutingReason =
  /** The rollout's flag answered; with `stable` also because its kill switch is on. */
  | 'Evaluated'
  | 'UnitMissing'
  /** No flag of this rollout: it is unknown, or there is nothing to route. */
  | 'RolloutUnknown'
  | 'NotReady'
  /** The gateway said nothing that can be understood. */
  | 'RequestInvalid'
  | 'Overloaded'
  /** A bug; the log has it. */
  | 'Failed';

export interface Decision extends Routing {
  readonly reason: RoutingReason;
}

export interface RoutingPorts {
  readonly held: HeldRuleset | undefined;
  readonly nowMs: number;
  readonly randomBytes: (count: number) => Buffer;
  /** Told of every evaluation. */
  readonly count: (key: string, answer: Answer) => void;
}

/** Whoever cannot be told apart goes to stable. */
export const stableFor = (reason: RoutingReason, unit?: string): Decision => ({
  variant: 'stable',
  revision: undefined,
  unit,
  setCookie: undefined,
  reason,
});

/** Where a request goes. Total: whatever it says, it is routed. */
export function routeRequest(request: CheckRequest | undefined, ports: RoutingPorts): Decision {
  const sources = parseUnitSources(request?.extensions.get(UNITS_EXTENSION) ?? '');
  const rollout = request?.extensions.get(ROLLOUT_EXTENSION);
  if (!request || !sources || rollout === undefined) return stableFor('RequestInvalid');
  const known = unitOf(sources, request.headers);
  if (known !== undefined) return decide(rollout, known, ports);
  const canMint = sources.some(({ kind, name }) => kind === 'cookie' && name === UNIT_COOKIE);
  if (!canMint || !isNavigation(request.headers)) return stableFor('UnitMissing');
  const minted = newUnit(ports.randomBytes);
  const decision = decide(rollout, minted, ports);
  // Nobody is given a cookie for nothing.
  return decision.reason === 'Evaluated' ? { ...decision, setCookie: setCookieOf(minted) } : stableFor(decision.reason);
}

function decide(rollout: string, unit: string, { held, nowMs, count }: RoutingPorts): Decision {
  if (!held) return stableFor('NotReady', unit);
  const key = rolloutFlagKey(rollout);
  const answer = evaluate(held.compiled, key, { targetingKey: unit }, nowMs);
  count(key, answer);
  if (answer.kind === 'Failed') return stableFor('RolloutUnknown', unit);
  // The rule is called by the revision. An override has none: a canary of no revision is no place to go.
  const revision = answer.kind === 'Served' && answer.variant === 'canary' ? answer.metadata.ruleId : undefined;
  return {
    variant: revision === undefined ? 'stable' : 'canary',
    ...{ revision, unit, setCookie: undefined, reason: 'Evaluated' },
  };
}
