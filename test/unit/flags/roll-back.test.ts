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

/** A flag with these specs as its history, the last of which is the present one. */
function flagOf(...specs: readonly object[]): FlagObject {
  const base = flagObject('a') as FlagObject;
  const all = specs.map((one): FlagObject['spec'] => ({ ...base.spec, ...one }));
  const history = all.map((spec, index) => ({
    revision: index + 1,
    at: '2026-11-21T10:00:00.000Z',
    accepted: true,
    spec: canonicalJson(spec),
  }));
  return { ...base, spec: all.at(-1) as NonNullable<FlagObject['spec']>, status: { conditions: [], history } };
}

const good = { defaultVariant: 'off', killSwitch: false };
const bad = { defaultVariant: 'on', killSwitch: false };

test('who killed a bad revision goes back to the one before it, and it stays killed', () => {
  const target = revisionToGoTo(flagOf(good, bad, { ...bad, killSwitch: true }), undefined);
  expect(target).toMatchObject({ revision: 1, spec: { defaultVariant: 'off', killSwitch: true } });
});

test('who woke a flag goes back without killing it again, and nowhere where only the kill switch was turned', () => {
  const killed = { ...good, killSwitch: true };
  expect(revisionToGoTo(flagOf(killed, bad), undefined)).toMatchObject({ revision: 1, spec: { killSwitch: false } });
  expect(revisionToGoTo(flagOf(good, killed), undefined)).toBeUndefined();
});

test('a number means the revision as it was, with its kill switch', () => {
  const flag = flagOf({ ...good, killSwitch: true }, bad);
  expect(revisionToGoTo(flag, 1)).toMatchObject({ revision: 1, spec: { killSwitch: true } });
});

test('a history that is not ours leads nowhere', () => {
  const at = '2026-11-21T10:00:00.000Z';
  const history = ['{', '[]', 'null'].map((spec, index) => ({ revision: index + 1, at, accepted: true, spec }));
  const flag = { ...flagOf(good), status: { conditions: [], history } };
  expect([revisionToGoTo(flag, undefined), revisionToGoTo(flag, 2)]).toEqual([undefined, undefined]);
});
