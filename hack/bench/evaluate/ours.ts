import { compileRuleset } from '../../../src/core/evaluation/compile.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { parseRuleset } from '../../../src/wire/ruleset.ts';
import { type Evaluator, FLAG } from './subject.ts';

const NOW_MS = Date.parse('2026-11-21T08:00:00Z');

export function ours(): Evaluator {
  const split = {
    unit: 'targetingKey',
    hash: 'murmur3-32/1',
    salt: `flag/shop/${FLAG}#ramp`,
    arms: [
      { variant: 'on', end: 5_000 },
      { variant: 'off', end: 10_000 },
    ],
  };
  const when = {
    all: [
      { attr: 'country', op: 'in', value: ['DE', 'AT'] },
      { attr: 'plan', op: 'eq', value: 'pro' },
    ],
  };
  const flag = {
    type: 'boolean',
    variants: { on: true, off: false },
    offVariant: 'off',
    defaultVariant: 'off',
    enabled: true,
    killSwitch: false,
    clientSide: false,
    rules: [{ id: 'ramp', when, serve: { split } }],
  };
  const parsed = parseRuleset({
    schema: 'sluice.ruleset/v1',
    flagSetId: 'shop',
    revision: 1,
    issuedAt: '2026-11-21T08:00:00Z',
    unitHashSalt: '',
    layers: {},
    timeBoundaries: [],
    flags: { [FLAG]: flag },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const compiled = compileRuleset(parsed.ruleset);
  return {
    name: 'sluice',
    version: 'this tree',
    evaluate: (unit, country) => {
      const answer = evaluate(compiled, FLAG, { targetingKey: unit, country, plan: 'pro' }, NOW_MS);
      return answer.kind === 'Served' && answer.value === true;
    },
  };
}
