import { expect, test } from 'vitest';
import type { FlagObject } from '../../../src/flags/flag-object.ts';
import { revisionToGoTo } from '../../../src/flags/roll-back.ts';
import { canonicalJson } from '../../../src/wire/canonical-json.ts';
import { flagObject } from '../../support/flag-objects.ts';

/** A flag that serves `now` by default, with revisions 1, 2, … that served these; `-` stands before one that was not accepted. */
function flagWith(now: string, ...served: readonly string[]): FlagObject {
  const base = flagObject('a', { defaultVariant: now }) as FlagObject;
  const history = served.map((one, index) => ({
    revision: index + 1,
    at: '2026-11-21T10:00:00.000Z',
    accepted: !one.startsWith('-'),
    spec: canonicalJson({ ...base.spec, defaultVariant: one.replace('-', '') }),
  }));
  return { ...base, status: { conditions: [], history } };
}

test.each([
  ['the one before the present', flagWith('off', 'on', 'off'), 1],
  ['the last that the operator knew, where it has not seen the present yet', flagWith('bad', 'on', 'off'), 2],
  ['no revision that was refused', flagWith('off', 'on', '-bad', 'off'), 1],
  ['none that says what the present says', flagWith('off', 'on', 'off', '-bad', 'off'), 1],
  ['none where there never was another', flagWith('on', 'on'), undefined],
])('without a number it goes to %s', (_, flag, revision) => {
  expect(revisionToGoTo(flag, undefined)?.revision).toBe(revision);
});
