import { featureFlagSpecSchema } from '../../src/api/feature-flag.ts';
import { type CompiledRuleset, compileRuleset } from '../../src/core/evaluation/compile.ts';
import { compileSpec } from '../../src/core/flags/compile-spec.ts';
import type { Imported } from '../../src/importers/imported.ts';
import { type ParsedRuleset, parseRuleset } from '../../src/wire/ruleset.ts';
import { rulesetWith } from './ruleset.ts';

/** Imported flags the whole way: applied, compiled by the operator, sent, compiled by an evaluator. Throws where one is refused. */
export function compiledImport({ flags }: Imported): CompiledRuleset {
  const compiled = flags.map(({ name, spec }) => {
    const parsed = featureFlagSpecSchema.parse(JSON.parse(JSON.stringify(spec)));
    const key = parsed.key ?? name;
    const result = compileSpec('shop', key, parsed);
    if (!result.ok) throw new Error(`${key}: ${JSON.stringify(result.problems)}`);
    return [key, result.flag] as const;
  });
  const sent: ParsedRuleset = parseRuleset(JSON.parse(JSON.stringify(rulesetWith(Object.fromEntries(compiled)))));
  if (!sent.ok) throw new Error(JSON.stringify(sent.problems));
  return compileRuleset(sent.ruleset);
}
