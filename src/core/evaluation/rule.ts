import { HOLDOUT_ARM, type Split } from '../../wire/draw.ts';
import { type HeldOut, isInLayer, type Rule, type RunningExperiment } from '../../wire/flag.ts';
import type { Layer } from '../../wire/ruleset.ts';
import type { Answer } from './answer.ts';
import type { AnswerMaker, Drawn } from './answers.ts';
import { armIndex } from './arms.ts';
import { ABSENT, gateOf, REFUSED } from './gate.ts';
import { armDraw } from './hash.ts';
import { type Context, type Test, TRUE } from './truth.ts';
import { unitOf } from './unit.ts';

/** It would have decided, but the context lacks the unit that it draws by. */
export const UNIT_MISSING = 'UnitMissing';

/** One way to an answer; undefined falls through to the next. `isUnitMissing` says that one before was passed over. */
export type Step = (
  context: Context,
  nowMs: number,
  isUnitMissing: boolean,
) => Answer | typeof UNIT_MISSING | undefined;

type Serve = (context: Context, isUnitMissing: boolean, bucket: number) => Answer | typeof UNIT_MISSING;

/** A rule of the flag; `when` is undefined where it always matches. */
export function ruleStep(answers: AnswerMaker, rule: Rule, when: Test | undefined): Step {
  const gates = (rule.admissions ?? []).map(gateOf);
  const serve =
    'variant' in rule.serve
      ? fixedServe(answers, rule.serve.variant, rule)
      : splitServe(answers, rule.serve.split, rule);
  return (context, nowMs, isUnitMissing) => {
    if (when !== undefined && when(context, nowMs) !== TRUE) return undefined;
    let bucket = 0;
    for (const gate of gates) {
      bucket = gate(context);
      if (bucket === ABSENT) return UNIT_MISSING;
      if (bucket === REFUSED) return undefined;
    }
    return serve(context, isUnitMissing, bucket);
  };
}

/** A fixed variant; where it has an admission, the bucket of the last one is told. */
function fixedServe(answers: AnswerMaker, variant: string, { id: ruleId, admissions = [] }: Rule): Serve {
  const { plain, unitMissing } = answers.fixed(variant, 'TARGETING_MATCH', { ruleId });
  if (admissions.length === 0) return (_, isUnitMissing) => (isUnitMissing ? unitMissing : plain);
  const { flagSetId, version } = answers.common;
  const drawn = answers.drawn(variant, 'TARGETING_MATCH');
  return (_, isUnitMissing, bucket) => drawn({ flagSetId, version, ruleId, bucket }, isUnitMissing, undefined);
}

function splitServe(answers: AnswerMaker, split: Split, { id: ruleId }: Rule): Serve {
  const ends = split.arms.map(({ end }) => end);
  const arms = split.arms.map(({ variant }) => answers.drawn(variant, 'SPLIT'));
  const draw = armDraw(split.hash, split.salt, ends.at(-1) as number);
  const { unit } = split;
  const { flagSetId, version } = answers.common;
  return (context, isUnitMissing) => {
    const value = unitOf(context, unit);
    if (value === undefined) return UNIT_MISSING;
    const bucket = draw(value);
    const drawn = arms[armIndex(ends, bucket)] as Drawn;
    return drawn({ flagSetId, version, ruleId, bucket }, isUnitMissing, undefined);
  };
}

/** A running experiment: admission by the layer's draw or its own, then the arm by a draw of its phase. */
export function experimentStep(
  answers: AnswerMaker,
  layers: Readonly<Record<string, Layer>>,
  { key: experiment, phase, admission, arms }: RunningExperiment,
  when: Test | undefined,
): Step {
  const layer = isInLayer(admission) ? admission.layer : undefined;
  // The schema has made sure that the layer exists.
  const gate = gateOf(
    isInLayer(admission) ? { ...(layers[admission.layer] as Layer), ranges: admission.ranges } : admission,
  );
  const ends = arms.arms.map(({ end }) => end);
  const draw = armDraw(arms.hash, arms.salt, ends.at(-1) as number);
  const named = arms.arms.map(({ name: arm, variant }) => ({ arm, drawn: answers.drawn(variant, 'SPLIT') }));
  return (context, nowMs, isUnitMissing) => {
    if (when !== undefined && when(context, nowMs) !== TRUE) return undefined;
    const admitted = gate(context);
    if (admitted === REFUSED) return undefined;
    const unit = unitOf(context, arms.unit);
    if (admitted === ABSENT || unit === undefined) return UNIT_MISSING;
    const bucket = draw(unit);
    const { arm, drawn } = named[armIndex(ends, bucket)] as (typeof named)[number];
    const metadata = { ...answers.common, experiment, arm, phase, ...(layer !== undefined && { layer }), bucket };
    return drawn(metadata, isUnitMissing, { experiment, phase, arm, unit });
  };
}

/** A holdout of a layer: who is in it gets the variant of control and takes no part in anything. */
export function holdoutStep(answers: AnswerMaker, layers: Readonly<Record<string, Layer>>, held: HeldOut): Step {
  const { layer, holdout, variant, experiment, phase } = held;
  // The schema has made sure that layer and holdout exist.
  const { unit: unitAttribute, hash, holdouts } = layers[layer] as Layer;
  const gate = gateOf({
    unit: unitAttribute,
    hash,
    ...((holdouts as NonNullable<Layer['holdouts']>)[holdout] as { salt: string; ranges: [number, number][] }),
  });
  const drawn = answers.drawn(variant, 'SPLIT');
  return (context, _, isUnitMissing) => {
    const bucket = gate(context);
    if (bucket === REFUSED) return undefined;
    const unit = unitOf(context, unitAttribute);
    if (bucket === ABSENT || unit === undefined) return UNIT_MISSING;
    const metadata = { ...answers.common, layer, holdout, bucket };
    if (experiment === undefined || phase === undefined) return drawn(metadata, isUnitMissing, undefined);
    const held = { experiment, phase, arm: HOLDOUT_ARM };
    return drawn({ ...metadata, ...held }, isUnitMissing, { ...held, unit });
  };
}
