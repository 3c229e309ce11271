import type { DurationMs } from '../../../base/units.ts';
import type { GuardrailEvidence } from './guardrail.ts';
import type { PrimaryMethod, PrimaryResult } from './primary.ts';

export interface ArmGuardrail {
  readonly metric: string;
  /** Undefined while nothing can be said, such as before any data. */
  readonly evidence: GuardrailEvidence | undefined;
}

/** One treatment arm, compared with control. */
export interface TreatmentResult {
  readonly arm: string;
  readonly primaries: readonly PrimaryResult[];
  readonly guardrails: readonly ArmGuardrail[];
}

/** How much one arm, control included, has seen. */
export interface ArmExposure {
  readonly arm: string;
  readonly units: number;
  /** Fewest conversions over its proportion metrics; undefined when none is a proportion. */
  readonly conversions: number | undefined;
}

/** All that one decision may look at. JSON, and enough to replay it. */
export interface ExperimentFacts {
  readonly elapsed: DurationMs;
  readonly minDuration: DurationMs;
  readonly maxDuration: DurationMs;
  /** Always-valid p-value of the sample ratio. */
  readonly sampleRatioP: number;
  /** Other checks that make results unusable, by name, such as too many units in two arms. */
  readonly dataProblems: readonly string[];
  readonly method: PrimaryMethod;
  /** Two-sided, for all primaries of all arms. */
  readonly alpha: number;
  readonly harmAlpha: number;
  readonly safeAlpha: number;
  readonly exposures: readonly ArmExposure[];
  readonly treatments: readonly TreatmentResult[];
}

/** Every arm has enough for normal approximations: before, the primaries are not read. */
const fewestUnits = 100;
const fewestConversions = 25;

/** Every arm has 100 units and 25 conversions: only then are the primaries read. */
export function pastBurnIn({ exposures }: ExperimentFacts): boolean {
  return (
    exposures.length > 0 &&
    exposures.every(
      ({ units, conversions }) => units >= fewestUnits && (conversions ?? fewestConversions) >= fewestConversions,
    )
  );
}
