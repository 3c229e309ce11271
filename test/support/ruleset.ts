import { type CompiledRuleset, compileRuleset } from '../../src/core/evaluation/compile.ts';
import type { Flag, Rule } from '../../src/wire/flag.ts';
import { type Layer, parseRuleset, RULESET_SCHEMA, type Ruleset } from '../../src/wire/ruleset.ts';

/** A boolean flag of on and off that is enabled and has no rules; `parts` replace. */
export function flagWith(parts: Partial<Flag> = {}): Flag {
  return {
    type: 'boolean',
    variants: { on: true, off: false },
    offVariant: 'off',
    defaultVariant: 'off',
    enabled: true,
    killSwitch: false,
    clientSide: false,
    rules: [],
    ...parts,
  };
}

/** A rule that serves `on`. */
export function ruleWith(parts: Partial<Rule> = {}): Rule {
  return { id: 'rule', serve: { variant: 'on' }, ...parts };
}

export function rulesetWith(flags: Record<string, Flag>, layers: Record<string, Layer> = {}): Ruleset {
  return {
    schema: RULESET_SCHEMA,
    flagSetId: 'shop',
    revision: 7,
    issuedAt: '2026-11-21T08:00:00Z',
    unitHashSalt: 'installation',
    layers,
    flags,
    timeBoundaries: [],
  };
}

/** Parsed and compiled, as an evaluator does it; throws when the ruleset is none. */
export function compiledWith(flags: Record<string, Flag>, layers: Record<string, Layer> = {}): CompiledRuleset {
  const parsed = parseRuleset(JSON.parse(JSON.stringify(rulesetWith(flags, layers))));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return compileRuleset(parsed.ruleset);
}
