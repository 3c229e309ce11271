import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import { type Decision, routeRequest } from '../../../../src/evaluator/ext-authz/route-request.ts';
import type { HeldRuleset } from '../../../../src/rulesets/holder.ts';
import type { Flag } from '../../../../src/wire/flag.ts';
import { rolloutFlag } from '../../../support/rollout-flags.ts';
import { compiledWith } from '../../../support/ruleset.ts';

const EXTENSIONS = { 'sluice-rollout': 'shop/web', 'sluice-units': 'cookie:sluice-unit,header:x-user-id' };
const NAVIGATION = { 'sec-fetch-mode': 'navigate' };

function holding(flag: Flag): HeldRuleset {
  return { compiled: compiledWith({ 'rollout/shop/web': flag }), digest: 'sha256:', bytes: new Uint8Array() };
}

function route(
  headers: Record<string, string>,
  held: HeldRuleset | undefined = holding(rolloutFlag(100)),
  extensions: Record<string, string> = EXTENSIONS,
): Decision {
  const request = { headers: new Map(Object.entries(headers)), extensions: new Map(Object.entries(extensions)) };
  return routeRequest(request, { held, nowMs: 0, randomBytes, count: () => {} });
}

test('a unit gets what evaluation gives to it as targeting key', () => {
  const held = holding(rolloutFlag(33));
  fc.assert(
    fc.property(fc.stringMatching(/^[!-~]{1,40}$/), (unit) => {
      const answer = evaluate(held.compiled, 'rollout/shop/web', { targetingKey: unit }, 0);
      const variant = answer.kind === 'Served' ? answer.variant : undefined;
      const revision = variant === 'canary' ? '7f' : undefined;
      const decision = { variant, revision, unit, setCookie: undefined, reason: 'Evaluated' };
      expect(route({ 'x-user-id': unit }, held)).toEqual(decision);
    }),
  );
});

test('a navigation is given a unit by which it is routed at once', () => {
  const held = holding(rolloutFlag(50));
  const decisions = Array.from({ length: 100 }, () => route(NAVIGATION, held));
  for (const { variant, revision, unit, setCookie } of decisions) {
    expect(setCookie).toBe(`sluice-unit=${unit}; Max-Age=31536000; Path=/; Secure; HttpOnly; SameSite=Lax`);
    const [cookie = ''] = setCookie?.split(';') ?? [];
    expect(route({ ...NAVIGATION, cookie }, held)).toEqual({
      variant,
      revision,
      unit,
      setCookie: undefined,
      reason: 'Evaluated',
    });
  }
  expect(new Set(decisions.map(({ variant }) => variant)).size).toBe(2);
});

test('a damaged cookie of ours is replaced on the next navigation', () => {
  expect(route({ ...NAVIGATION, cookie: 'sluice-unit=broken' }).setCookie).toMatch(/^sluice-unit=[\w-]{22};/);
});

test.each<[string, Record<string, string>, Record<string, string>]>([
  ['it is not a navigation', {}, EXTENSIONS],
  ['the list of units has not our cookie', NAVIGATION, { ...EXTENSIONS, 'sluice-units': 'header:x-user-id' }],
  ['a cookie is another one', NAVIGATION, { ...EXTENSIONS, 'sluice-units': 'cookie:session' }],
  ['our cookie is the name of a header', NAVIGATION, { ...EXTENSIONS, 'sluice-units': 'header:sluice-unit' }],
])('no unit is minted where %s', (_, headers, extensions) => {
  expect(route(headers, holding(rolloutFlag(100)), extensions)).toEqual({
    variant: 'stable',
    revision: undefined,
    unit: undefined,
    setCookie: undefined,
    reason: 'UnitMissing',
  });
});

test('nor where the unit is known from elsewhere', () => {
  expect(route({ ...NAVIGATION, 'x-user-id': 'u' })).toMatchObject({ unit: 'u', setCookie: undefined });
});

test('nor for a rollout that nobody knows: there is nothing to remember', () => {
  const unknown = { ...EXTENSIONS, 'sluice-rollout': 'shop/other' };
  expect(route(NAVIGATION, holding(rolloutFlag(100)), unknown)).toEqual({
    variant: 'stable',
    unit: undefined,
    setCookie: undefined,
    reason: 'RolloutUnknown',
  });
});

test.each<[string, Flag, string]>([
  ['killed', rolloutFlag(100, { killSwitch: true }), 'Evaluated'],
  ['not enabled', rolloutFlag(100, { enabled: false }), 'Evaluated'],
  ['of weight 0', rolloutFlag(0), 'Evaluated'],
  [
    'with a variant of another name',
    rolloutFlag(0, { variants: { stable: 'stable', blue: 'canary' }, defaultVariant: 'blue' }),
    'Evaluated',
  ],
])('a flag that is %s leads to stable', (_, flag, reason) => {
  expect(route({ 'x-user-id': 'u' }, holding(flag))).toMatchObject({ variant: 'stable', unit: 'u', reason });
});

test.each<[string, Record<string, string>]>([
  ['no extensions', {}],
  ['no rollout', { 'sluice-units': 'header:x-user-id' }],
  ['no units', { 'sluice-rollout': 'shop/web' }],
  ['units that nobody understands', { ...EXTENSIONS, 'sluice-units': 'query:user' }],
])('a gateway that sends %s gets stable, and no unit passes', (_, extensions) => {
  const held = holding(rolloutFlag(100));
  expect(route({ 'x-user-id': 'u' }, held, extensions)).toMatchObject({
    variant: 'stable',
    unit: undefined,
    reason: 'RequestInvalid',
  });
});

test('what cannot be read, or comes before the first ruleset, leads to stable', () => {
  const ports = { held: undefined, nowMs: 0, randomBytes, count: () => {} };
  expect(routeRequest(undefined, ports).reason).toBe('RequestInvalid');
  const request = { headers: new Map([['x-user-id', 'u']]), extensions: new Map(Object.entries(EXTENSIONS)) };
  expect(routeRequest(request, ports)).toMatchObject({ variant: 'stable', unit: 'u', reason: 'NotReady' });
});

test('every evaluation is counted by the key of its flag', () => {
  const counted: string[] = [];
  const request = { headers: new Map([['x-user-id', 'u']]), extensions: new Map(Object.entries(EXTENSIONS)) };
  routeRequest(request, {
    held: holding(rolloutFlag(100)),
    nowMs: 0,
    randomBytes,
    count: (key, answer) => void counted.push(`${key} ${answer.kind}`),
  });
  expect(counted).toEqual(['rollout/shop/web Served']);
});
