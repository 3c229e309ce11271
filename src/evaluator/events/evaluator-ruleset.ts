import type { CompiledRuleset } from '../../core/evaluation/compile.ts';

/** What events need of the ruleset that answers come from. */
export type EventRuleset = Pick<CompiledRuleset, 'flagSetId' | 'revision' | 'unitHashSalt'>;
