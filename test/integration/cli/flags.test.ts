import { beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { connect } from '../../../src/cli/connect.ts';
import { runCli } from '../../../src/cli/program.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { startFlagController } from '../../support/flag-controller.ts';
import { flagObject } from '../../support/flag-objects.ts';
import { installCrds } from '../../support/install-crds.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

const config = kubeConfig();
const signal = AbortSignal.timeout(600_000);
let namespace: string;

beforeAll(() => installCrds(signal));
beforeEach(async () => {
  namespace = await makeNamespace('flags');
});

const path = (name: string) => `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/${name}`;

async function put(name: string, spec: Manifest = {}, metadata: Manifest = {}): Promise<void> {
  const { metadata: _, ...object } = flagObject(name, spec) as Manifest;
  const answer = await apply(config, path(name), { ...object, metadata: { name, ...metadata } });
  expect(answer.status, answer.body.message).toBeLessThan(300);
}

async function flag(...args: string[]): Promise<{ exit: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runCli(['flag', ...args, '-n', namespace, '--kubeconfig', inject('kubeconfig')], {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    colour: false,
    clock: systemClock,
    signal,
    connect,
    readText: () => Promise.reject(new Error('reads no file')),
    releaseOffline: () => Promise.reject(new Error('releases nothing')),
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

const specOf = async (name: string): Promise<Manifest> => (await rawApi(config, 'GET', path(name))).body.spec;

async function revisions(name: string, count: number): Promise<Manifest[]> {
  let history: Manifest[] = [];
  const check = async () => {
    history = (await rawApi(config, 'GET', path(name))).body.status?.history ?? [];
    return history.length === count;
  };
  await waitFor(check, { what: `${count} revisions of ${name}`, timeoutMs: 20_000, everyMs: 50, signal });
  return history;
}

const ramp = {
  rules: [
    {
      id: 'ramp',
      serve: {
        split: [
          { variant: 'on', weight: 10 },
          { variant: 'off', weight: 90 },
        ],
      },
    },
  ],
};

test('get lists flags by key with their state, and one as YAML', async () => {
  await put('checkout', { key: 'one/page checkout', owner: 'team-shop' });
  await put('search', { killSwitch: true });
  const { out } = await flag('get');
  expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
    ['KEY', 'TYPE', 'STATE', 'DEFAULT'],
    ['one/page checkout', 'boolean', 'Enabled', 'off'],
    ['search', 'boolean', 'Killed', 'off'],
  ]);
  expect((await flag('get', 'one/page checkout', '-o', 'yaml')).out).toContain('kind: FeatureFlag');
});

test('kill and its undo change nothing but the kill switch', async () => {
  await put('checkout', ramp);
  const before = await specOf('checkout');
  expect(await flag('kill', 'checkout')).toMatchObject({ exit: 0, out: 'checkout: killed' });
  expect(await specOf('checkout')).toEqual({ ...before, killSwitch: true });
  expect((await flag('kill', 'checkout', '--undo')).out).toBe('checkout: alive again');
  expect(await specOf('checkout')).toEqual(before);
});

test('set changes enabled, default and the weights of a rule', async () => {
  await put('checkout', ramp);
  const { exit } = await flag(
    'set',
    'checkout',
    '--enabled',
    'false',
    '--default',
    'on',
    '--weights',
    'ramp:on=20,off=80',
  );
  expect(exit).toBe(0);
  const spec = await specOf('checkout');
  expect(spec).toMatchObject({ enabled: false, defaultVariant: 'on' });
  expect(spec.rules[0].serve.split.map(({ weight }: Manifest) => weight)).toEqual([20, 80]);
});

test.each([
  [['set', 'checkout'], 'say what to change'],
  [['set', 'checkout', '--weights', 'ramp'], 'is not like ramp:on=20,off=80'],
  [['set', 'checkout', '--weights', 'other:on=1'], 'has no rule other with a split'],
  [['set', 'checkout', '--weights', 'ramp:blue=1'], 'has no variant blue'],
  [['set', 'checkout', '--weights', 'ramp:on=0,off=0'], 'at least one weight must be above 0'],
  [['kill', 'nothing'], 'there is no FeatureFlag nothing'],
  [['rollback', 'checkout'], 'no accepted revision before the present one'],
  [['rollback', 'checkout', '--to', '7'], 'no revision 7'],
  [['rollback', 'checkout', '--to', 'x'], 'is not the number of a revision'],
  [['eval', 'checkout', '--context', '[]'], 'is no JSON object'],
  [['eval', 'checkout', '--context', '{'], 'is no JSON'],
])('%j fails and says why', async (args, why) => {
  await put('checkout', ramp);
  const { exit, err } = await flag(...(args as string[]));
  expect([exit, err]).toEqual([5, expect.stringContaining(why as string)]);
});

test('history tells what changed, and rollback goes back to it', async () => {
  await startFlagController(namespace, [namespace]);
  await put('checkout', ramp);
  await revisions('checkout', 1);
  await put('checkout', { ...ramp, defaultVariant: 'on' });
  await revisions('checkout', 2);
  await put('checkout', { ...ramp, defaultVariant: 'missing' });
  const history = await revisions('checkout', 3);
  expect(history.map(({ accepted }) => accepted)).toEqual([true, true, false]);
  const rows = (await flag('history', 'checkout')).out.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows.map(([revision, , , accepted, changed]) => [revision, accepted, changed])).toEqual([
    ['REVISION', 'ACCEPTED', 'CHANGED'],
    ['3', 'no', 'defaultVariant=missing'],
    ['2', 'yes', 'defaultVariant=on'],
    ['1', 'yes', '-'],
  ]);
  expect((await flag('rollback', 'checkout')).out).toBe('checkout: back at what it was in revision 2');
  expect(await specOf('checkout')).toMatchObject({ defaultVariant: 'on' });
  await revisions('checkout', 4);
  expect((await flag('rollback', 'checkout', '--to', '1')).exit).toBe(0);
  expect(await specOf('checkout')).toMatchObject({ defaultVariant: 'off' });
});

test('a bad revision that was killed is left for the good one, and stays killed until it is said otherwise', async () => {
  await startFlagController(namespace, [namespace]);
  await put('checkout', ramp);
  await revisions('checkout', 1);
  await put('checkout', { ...ramp, defaultVariant: 'on' });
  await revisions('checkout', 2);
  await flag('kill', 'checkout');
  await revisions('checkout', 3);
  expect((await flag('rollback', 'checkout')).out).toBe(
    'checkout: back at what it was in revision 1; still killed: `flag kill checkout --undo` serves it',
  );
  expect(await specOf('checkout')).toMatchObject({ defaultVariant: 'off', killSwitch: true });
  expect((await flag('rollback', 'checkout', '--to', '2')).out).toBe(
    'checkout: back at what it was in revision 2; alive again',
  );
  expect(await specOf('checkout')).toMatchObject({ defaultVariant: 'on', killSwitch: false });
});

test('who applies the flag from elsewhere is named when it is changed here, by its mark or as a field manager', async () => {
  await put('applied'); // server-side, by the manager `test`
  expect((await flag('kill', 'applied')).err).toContain('warning: test applies this flag');
  await put('checkout', ramp, { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:checkout' } });
  const { exit, err } = await flag('kill', 'checkout');
  expect(exit).toBe(0);
  expect(err).toBe('warning: Argo CD applies this flag and may overwrite the change: make it there too');
});

test('eval answers what evaluators would, without the operator', async () => {
  await put('staff-only', {
    rules: [{ id: 'staff', when: { attr: 'email', op: 'endsWith', value: '@shop.example' }, serve: { variant: 'on' } }],
  });
  const staff = await flag('eval', 'staff-only', '--context', '{"targetingKey":"u","email":"a@shop.example"}');
  expect(JSON.parse(staff.out)).toMatchObject({
    key: 'staff-only',
    variant: 'on',
    value: true,
    reason: 'TARGETING_MATCH',
    metadata: { ruleId: 'staff', flagSetId: namespace },
  });
  expect(JSON.parse((await flag('eval', 'staff-only')).out)).toMatchObject({ value: false, reason: 'DEFAULT' });
  const missing = await flag('eval', 'nothing');
  expect([missing.exit, JSON.parse(missing.out).errorCode]).toEqual([1, 'FLAG_NOT_FOUND']);
});
