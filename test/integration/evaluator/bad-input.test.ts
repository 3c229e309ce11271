import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { post, type RunningSidecar, startSidecar, until } from '../../support/sidecar.ts';

// Against the process: large and endless bodies stand in hostile-requests.test.ts, rulesets that cannot be used, a cut last-good
// file and a full disk in last-good.test.ts, full disks for events in events/start-events.test.ts.

const FLAGS = '/ofrep/v1/evaluate/flags';

/** A boolean flag whose only rule serves `on`. */
const flag = (name: string, spec: object = {}): object => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'FeatureFlag',
  metadata: { name },
  spec: {
    ...{ type: 'boolean', variants: { on: true, off: false }, offVariant: 'off', defaultVariant: 'off' },
    ...spec,
  },
});
const when = (condition: object): object => ({ rules: [{ id: 'rule', when: condition, serve: { variant: 'on' } }] });
const matches = (value: string): object => when({ attr: 'text', op: 'matches', value });

async function serving(...manifests: object[]): Promise<RunningSidecar> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bad-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'flags.yaml');
  writeFileSync(file, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
  const sidecar = await startSidecar(['--file', file]);
  await until(() => sidecar.ready());
  return sidecar;
}

test('bodies that are no JSON, NaN among them, are a 400 on every endpoint, and the next request is answered', async () => {
  const sidecar = await serving(flag('good'));
  for (const body of [
    '{"context": ',
    '{"context":{"n":NaN}}',
    '{"context":{"n":Infinity}}',
    '\u0000',
    '{}{}',
    "{'a':1}",
  ]) {
    for (const path of [FLAGS, `${FLAGS}/good`, '/evaluate']) {
      const answer = await post(sidecar.url, path, body);
      expect([path, answer.status, answer.body.errorCode]).toEqual([path, 400, 'PARSE_ERROR']);
    }
  }
  expect((await sidecar.post(`${FLAGS}/good`, {})).status).toBe(200);
});

test('keys named like parts of objects are unknown flags, and become known where a flag has them', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const empty = await serving(flag('good'));
  for (const key of names) {
    const { status, body } = await empty.post(`${FLAGS}/${key}`, { context: {} });
    expect([status, body.key, body.errorCode]).toEqual([404, key, 'FLAG_NOT_FOUND']);
  }
  const batch = await empty.post('/evaluate', { keys: [...names, 'good'], units: {}, attributes: {} });
  expect(batch.body.flags.map(({ errorCode }: { errorCode?: string }) => errorCode)).toEqual([
    ...names.map(() => 'FLAG_NOT_FOUND'),
    undefined,
  ]);
  const [, ...usable] = names;
  const named = await serving(
    flag('good'),
    ...names.map((key, index) => flag(`named-${index}`, { key, defaultVariant: 'on' })),
  );
  for (const key of usable) expect((await named.post(`${FLAGS}/${key}`, {})).body.value).toBe(true);
  // JSON's own trap is refused as a key: rulesets are objects by key.
  expect((await named.post(`${FLAGS}/__proto__`, {})).status).toBe(404);
  expect((await named.post(`${FLAGS}/good`, {})).body.value).toBe(false);
});

test('what no ruleset can hold leaves out the flag that has it, and no other', async () => {
  const deep = JSON.parse(`${'{"a":'.repeat(80)}1${'}'.repeat(80)}`);
  const object = (value: unknown): object => ({ type: 'object', variants: { on: { value }, off: {} } });
  const sidecar = await serving(
    flag('good', { killSwitch: true }),
    flag('deep', object(deep)),
    flag('surrogate', { type: 'string', variants: { on: '\ud800', off: '' } }),
    flag('salted', { salt: '\udc00' }),
  );
  expect((await sidecar.post(`${FLAGS}/good`, {})).body).toMatchObject({ value: false, reason: 'DISABLED' });
  for (const key of ['deep', 'surrogate']) {
    expect([key, (await sidecar.post(`${FLAGS}/${key}`, {})).status]).toEqual([key, 404]);
    expect(sidecar.log()).toContain(` ${key}: spec.`);
  }
});

test('attributes named like parts of objects are attributes, on every endpoint', async () => {
  const sidecar = await serving(
    flag('proto', when({ attr: '__proto__', op: 'eq', value: 'me' })),
    flag('constructed', when({ attr: 'constructor', op: 'eq', value: 'me' })),
    flag('clean', when({ attr: 'polluted', op: 'exists' })),
  );
  const context = '{"__proto__":"me","constructor":"me"}';
  const polluting = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
  for (const path of [FLAGS, '/evaluate']) {
    const bodyOf = (of: string) => (path === FLAGS ? `{"context":${of}}` : `{"units":${of},"attributes":${of}}`);
    await post(sidecar.url, path, bodyOf(polluting));
    const { body } = await post(sidecar.url, path, bodyOf(context));
    const values = body.flags.map(({ key, value }: { key: string; value: boolean }) => [key, value]);
    expect(Object.fromEntries(values)).toEqual({ proto: true, constructed: true, clean: false });
  }
});

test('a unit that is missing is TARGETING_KEY_MISSING where a rule draws by it, whatever stands in its place', async () => {
  const split = [
    { variant: 'on', weight: 50 },
    { variant: 'off', weight: 50 },
  ];
  const sidecar = await serving(flag('drawn', { rules: [{ id: 'ramp', serve: { split } }] }));
  for (const targetingKey of [undefined, null, '', {}, [], true, 1.5, 1e300]) {
    const { status, body } = await sidecar.post(`${FLAGS}/drawn`, { context: { targetingKey } });
    expect([targetingKey, status, body.errorCode]).toEqual([targetingKey, 400, 'TARGETING_KEY_MISSING']);
  }
  for (const targetingKey of ['\ud800', '\u0000', 'x'.repeat(100_000), 7]) {
    expect((await sidecar.post(`${FLAGS}/drawn`, { context: { targetingKey } })).body.reason).toBe('SPLIT');
  }
});

test('dates out of range match nothing, in a context and in a flag', async () => {
  const sidecar = await serving(
    flag('since', when({ attr: 'at', op: 'after', value: '2026-01-01T00:00:00Z' })),
    flag('never', when({ attr: 'at', op: 'after', value: '2026-02-30T00:00:00Z' })),
    flag('opens', when({ time: { after: '+275760-09-13T00:00:00.001Z' } })),
    flag('good'),
  );
  await sidecar.logged('SLUICE_FLAG_NOT_ACCEPTED');
  for (const at of ['2026-02-30T00:00:00Z', '99999-01-01T00:00:00Z', '2026-01-01T25:00:00Z', '', 1e300, -1, null]) {
    expect((await sidecar.post(`${FLAGS}/since`, { context: { at } })).body.value).toBe(false);
  }
  expect((await sidecar.post(`${FLAGS}/since`, { context: { at: '2026-01-02T00:00:00Z' } })).body.value).toBe(true);
  for (const key of ['never', 'opens']) expect((await sidecar.post(`${FLAGS}/${key}`, {})).status).toBe(404);
  expect((await sidecar.post(`${FLAGS}/good`, {})).status).toBe(200);
});

test('huge regular expressions are left out by name, hungry ones are matched without backtracking, others are served', async () => {
  const huge: Record<string, string> = {
    long: 'a'.repeat(1_025),
    nested: '((a{100}){100}){100}',
    repeated: 'a{1000}'.repeat(140),
    deep: `${'('.repeat(500)}a${')'.repeat(500)}`,
    classes: '\\pL{900}',
    broken: '(',
    looking: '(?=a)b',
    referring: '(a)\\1',
  };
  const hungry: Record<string, string> = {
    plus: '(a+)+$',
    star: '(a*)*b',
    either: '(a|a)*$',
    dots: '(.*)(.*)(.*)[^a]$',
  };
  const sidecar = await serving(
    ...Object.entries({ ...huge, ...hungry }).map(([name, pattern]) => flag(name, matches(pattern))),
    flag('good', matches('^a{3}$')),
  );
  for (const key of Object.keys(huge)) {
    expect([key, (await sidecar.post(`${FLAGS}/${key}`, { context: { text: 'a' } })).status]).toEqual([key, 404]);
    expect(sidecar.log()).toContain(` ${key}: spec.rules[0].when`);
  }
  for (const text of [`${'a'.repeat(1_023)}!`, 'a'.repeat(1_000_000)]) {
    for (const key of Object.keys(hungry)) {
      expect((await sidecar.post(`${FLAGS}/${key}`, { context: { text } })).status).toBe(200);
    }
  }
  expect((await sidecar.post(`${FLAGS}/good`, { context: { text: 'aaa' } })).body.value).toBe(true);
});
