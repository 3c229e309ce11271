import type { Condition } from '../../wire/condition.ts';
import type { Flag } from '../../wire/flag.ts';
import type { Layer } from '../../wire/ruleset.ts';
import type { Answer } from './answer.ts';
import { type AnswerMaker, answerMaker, fixedAnswer } from './answers.ts';
import { compileCondition, compileSegments, type Report, type Scope, scopeOf } from './condition.ts';
import { experimentStep, holdoutStep, ruleStep, type Step, UNIT_MISSING } from './rule.ts';
import type { Context, Test } from './truth.ts';
import { unitOf } from './unit.ts';

/** A flag that answers. Pure and total for every context of JSON. */
export interface CompiledFlag {
  readonly key: string;
  readonly type: Flag['type'];
  /** Whether browsers may evaluate it. */
  readonly clientSide: boolean;
  readonly answer: (context: Context, nowMs: number) => Answer;
}

/** What a flag needs to know of the ruleset around it. */
export interface Surroundings {
  readonly common: AnswerMaker['common'];
  readonly layers: Readonly<Record<string, Layer>>;
  /** The other flags, once all are compiled. */
  readonly flagOf: (key: string) => CompiledFlag | undefined;
  /** Key of a prerequisite that this flag can never meet. */
  readonly brokenPrerequisite?: string | undefined;
  readonly report: Report;
}

/** Compiles one flag in the order of the table of states in docs/flags.md. Never throws. */
export function compileFlag(key: string, flag: Flag, around: Surroundings): CompiledFlag {
  const scope = scopeOf(flag.segments ?? {}, around.report);
  compileSegments(scope);
  const answers = answerMaker(flag, around.common);
  const gates: Step[] = [
    ...overrideSteps(answers, flag),
    ...(flag.holdouts ?? []).map((held) => holdoutStep(answers, around.layers, held)),
    ...prerequisiteSteps(answers, flag, around),
  ];
  const rules = [
    ...(flag.experiments ?? []).map((experiment, index) =>
      experimentStep(
        answers,
        around.layers,
        experiment,
        whenOf(scope, experiment.when, ['experiments', index, 'when']),
      ),
    ),
    ...flag.rules.map((rule, index) => ruleStep(answers, rule, whenOf(scope, rule.when, ['rules', index, 'when']))),
  ];
  const { type, clientSide } = flag;
  return { key, type, clientSide, answer: switchedOff(answers, flag) ?? decision(answers, flag, gates, rules) };
}

/** The first two states: killed beats everything, and a flag that is not enabled has no value. */
function switchedOff(answers: AnswerMaker, flag: Flag): CompiledFlag['answer'] | undefined {
  if (flag.killSwitch) {
    const { plain } = answers.fixed(flag.offVariant, 'DISABLED');
    return () => plain;
  }
  if (flag.enabled) return undefined;
  const answer: Answer = { kind: 'Valueless', reason: 'DISABLED', metadata: answers.common };
  return () => answer;
}

/** What comes before the rules, then the rules, then the default. Only a rule that was passed over can make the unit a must. */
function decision(
  answers: AnswerMaker,
  flag: Flag,
  gates: readonly Step[],
  rules: readonly Step[],
): CompiledFlag['answer'] {
  const none = answers.fixed(flag.defaultVariant, rules.length === 0 ? 'STATIC' : 'DEFAULT');
  const unitless = fixedAnswer((metadata) => ({
    kind: 'Failed',
    errorCode: 'TARGETING_KEY_MISSING',
    metadata: { ...answers.common, ...metadata },
  })).unitMissing;
  return (context, nowMs) => {
    let isUnitMissing = false;
    for (const gate of gates) {
      const outcome = gate(context, nowMs, isUnitMissing);
      if (outcome === UNIT_MISSING) isUnitMissing = true;
      else if (outcome !== undefined) return outcome;
    }
    let isRuleSkipped = false;
    for (const rule of rules) {
      const outcome = rule(context, nowMs, isUnitMissing || isRuleSkipped);
      if (outcome === UNIT_MISSING) isRuleSkipped = true;
      else if (outcome !== undefined) return outcome;
    }
    if (isRuleSkipped) return unitless;
    return isUnitMissing ? none.unitMissing : none.plain;
  };
}

function whenOf(scope: Scope, when: Condition | undefined, path: readonly PropertyKey[]): Test | undefined {
  return when && compileCondition(scope, when, path).test;
}

/** The first override that names the targeting key. */
function overrideSteps(answers: AnswerMaker, flag: Flag): Step[] {
  const byUnit = new Map<string, Answer>();
  for (const { units, variant } of flag.overrides ?? []) {
    const { plain } = answers.fixed(variant, 'TARGETING_MATCH');
    for (const unit of units) if (!byUnit.has(unit)) byUnit.set(unit, plain);
  }
  if (byUnit.size === 0) return [];
  return [
    (context) => {
      const unit = unitOf(context, 'targetingKey');
      return unit === undefined ? undefined : byUnit.get(unit);
    },
  ];
}

function prerequisiteSteps(answers: AnswerMaker, flag: Flag, around: Surroundings): Step[] {
  const unmet = (prerequisite: string): Step => {
    const { plain, unitMissing } = answers.fixed(flag.offVariant, 'DEFAULT', { prerequisite });
    return (_context, _nowMs, isUnitMissing) => (isUnitMissing ? unitMissing : plain);
  };
  if (around.brokenPrerequisite !== undefined) return [unmet(around.brokenPrerequisite)];
  return (flag.prerequisites ?? []).map(({ flag: key, variants }): Step => {
    const otherwise = unmet(key);
    return (context, nowMs, isUnitMissing) => {
      const answer = around.flagOf(key)?.answer(context, nowMs);
      const isMet = answer?.kind === 'Served' && variants.includes(answer.variant);
      return isMet ? undefined : otherwise(context, nowMs, isUnitMissing);
    };
  });
}
