import { renameSync, writeFileSync } from 'node:fs';
import { snapshotOf } from '../../src/rulesets/source.ts';
import type { Flag } from '../../src/wire/flag.ts';
import { sealRuleset } from '../../src/wire/sealed-ruleset.ts';
import { rulesetWith } from './ruleset.ts';

/** The built-in flag of a Rollout that is at a weight in percent. */
export function rolloutFlag(percent: number, parts: Partial<Flag> = {}): Flag {
  const unit = 'targetingKey';
  const admission = { unit, hash: 'murmur3-32/1', salt: 'rollout/shop/web@7f', ranges: [[0, percent * 100]] };
  return {
    type: 'string',
    variants: { stable: 'stable', canary: 'canary' },
    ...{ offVariant: 'stable', defaultVariant: 'stable' },
    ...{ enabled: true, killSwitch: false, clientSide: false },
    rules: percent === 0 ? [] : [{ id: '7f', admissions: [admission as never], serve: { variant: 'canary' } }],
    ...parts,
  };
}

/** Writes a ruleset of these flags as a mounted ConfigMap has it. */
export function mountRuleset(file: string, flags: Record<string, Flag>, revision: number): void {
  writeFileSync(`${file}.new`, snapshotOf(sealRuleset({ ...rulesetWith(flags), revision })).bytes);
  renameSync(`${file}.new`, file);
}
