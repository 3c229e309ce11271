import { requireCount, requireFinite, requirePositive, requireUnitInterval, statsError } from '../errors.ts';
import type { Look, SequencePlan } from '../sequential/confidence-sequence.ts';
import { sequenceLook } from '../sequential/confidence-sequence.ts';

/** An effect on the units whose experience could differ, and how many of all units those are. */
export interface TriggeredEffect {
  /** Per triggered unit, in the metric's unit. */
  readonly estimate: number;
  readonly standardError: number;
  readonly triggeredUnits: number;
  readonly allUnits: number;
}

/** Share of units that triggered, inside [0, 1]. Throws SLUICE_STATS_TOO_FEW without units. */
export function triggerRate(triggeredUnits: number, allUnits: number): number {
  requireCount('triggeredUnits', triggeredUnits);
  if (requireCount('allUnits', allUnits) === 0)
    throw statsError('SLUICE_STATS_TOO_FEW', 'there are no units', { n: 0 });
  return requireUnitInterval('trigger rate', triggeredUnits / allUnits);
}

/** The effect on everyone, in the metric's unit: units that did not trigger have none (Kohavi, Tang, Xu 2020, ch. 20). */
export function diluteAbsolute(effect: TriggeredEffect): { readonly estimate: number; readonly standardError: number } {
  const rate = triggerRate(effect.triggeredUnits, effect.allUnits);
  return {
    estimate: requireFinite('estimate', effect.estimate) * rate,
    standardError: requirePositive('standardError', effect.standardError) * rate,
  };
}

/**
 * The relative effect on everyone. Not rate × lift unless triggered units resemble all: the absolute gain per triggered control
 * unit is spread over the whole control mean (Kohavi, Tang, Xu 2020, ch. 20, "overall treatment effect").
 */
export function diluteRelative(lift: number, rate: number, triggeredMean: number, overallMean: number): number {
  requirePositive('overallMean', overallMean);
  return (
    (requireFinite('lift', lift) * requireUnitInterval('rate', rate) * requireFinite('triggeredMean', triggeredMean)) /
    overallMean
  );
}

/**
 * The units that did not trigger must show no effect: evidence of one means that the trigger condition is wrong, or depends on
 * the arm. Always valid. The sample ratio of the triggered units is to be checked too (`srm/`).
 */
export function complementBroken(
  complement: Look,
  plan: SequencePlan,
): { readonly broken: boolean; readonly pValue: number } {
  const { pValue } = sequenceLook(complement, plan);
  return { broken: pValue <= plan.alpha, pValue };
}
