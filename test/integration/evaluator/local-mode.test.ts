import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startSidecar, until } from '../../support/sidecar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-flags-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const flag = (name: string, serve: 'on' | 'off', more = '') => `---
apiVersion: sluice.dev/v1alpha1
kind: FeatureFlag
metadata: { name: ${name} }
spec:
  type: boolean
  variants: { "on": true, "off": false }
  offVariant: "off"
  defaultVariant: "${serve}"
  ${more}
`;
const path = (name = 'flags.yaml') => join(folder, name);
const single = (key: string) => `/ofrep/v1/evaluate/flags/${key}`;
const user = { context: { targetingKey: 'user-1' } };

test('the examples are served as they stand, and it stops at a signal', async () => {
  const sidecar = await startSidecar(['--file', 'examples/flags']);
  await until(() => sidecar.ready());
  expect((await sidecar.post(single('wallets'), user)).body.metadata.flagSetId).toBe('default');
  expect((await sidecar.post('/ofrep/v1/evaluate/flags', user)).body.flags).toHaveLength(7);
  const { body } = await sidecar.post(single('new-search'), { context: { targetingKey: 'qa-1' } });
  expect(body).toMatchObject({ value: true, reason: 'TARGETING_MATCH' });
  expect(await sidecar.stop('SIGTERM')).toBe(0);
});

test('--watch takes in an edit, and open event streams are told to fetch again', async () => {
  writeFileSync(path(), flag('a', 'off'));
  const sidecar = await startSidecar(['--file', path(), '--watch']);
  await until(() => sidecar.ready());
  const streams = await fetch(`${sidecar.url}/ofrep/v1/events`);
  expect(streams.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = streams.body!.pipeThrough(new TextDecoderStream()).getReader();
  // Whoever says nothing of what it knows is told where things stand.
  const opening = (await reader.read()).value ?? '';
  expect(opening).toMatch(/^event: message\nid: [0-9a-f]{32}\.0\ndata: \{"type":"refetchEvaluation",/);
  const before = await sidecar.post('/ofrep/v1/evaluate/flags', user);
  writeFileSync(path('new'), flag('a', 'on'));
  renameSync(path('new'), path()); // as editors save
  const event = (await reader.read()).value ?? '';
  expect(event).toMatch(/^event: message\nid: [0-9a-f]{32}\.0\ndata: /);
  expect(event).not.toBe(opening);
  const data = JSON.parse(event.split('data: ')[1] as string);
  const after = await sidecar.post(`/ofrep/v1/evaluate/flags?flagConfigEtag=${data.etag}`, user, {
    'if-none-match': before.headers.etag as string,
  });
  expect([before.body.flags[0].value, after.status, after.body.flags[0].value]).toEqual([false, 200, true]);
  // With the last id, one who comes back learns what was missed at once.
  const back = await fetch(`${sidecar.url}/ofrep/v1/events`, { headers: { 'last-event-id': 'before' } });
  const [first] = await back
    .body!.pipeThrough(new TextDecoderStream())
    .values()
    .next()
    .then(({ value }) => [value]);
  expect(first).toBe(event.replace(/"lastModified":\d+/, /"lastModified":\d+/.exec(String(first))?.[0] ?? ''));
  expect(await sidecar.stop('SIGTERM')).toBe(0); // with streams open
});

test('a bad edit keeps what was there, says so once, and a good one ends that', async () => {
  writeFileSync(path(), flag('a', 'on'));
  writeFileSync(path('other.yaml'), flag('b', 'off'));
  const sidecar = await startSidecar(['--file', folder, '--watch']);
  await until(() => sidecar.ready());
  const answer = async (key: string) => {
    const { value, metadata } = (await sidecar.post(single(key), user)).body;
    return [value, metadata.stale ?? false];
  };
  writeFileSync(path(), 'kind: [FeatureFlag\n');
  await sidecar.logged('SLUICE_FLAG_FILE');
  expect(await answer('a')).toEqual([true, true]);
  // Other files go on to be read meanwhile.
  writeFileSync(path('other.yaml'), flag('b', 'on'));
  await until(async () => (await answer('b'))[0] === true);
  expect(await answer('a')).toEqual([true, true]);
  writeFileSync(path(), '');
  await sidecar.logged('is empty');
  expect(await answer('a')).toEqual([true, true]);
  writeFileSync(path(), flag('a', 'on', 'rules: [{ id: r, serve: { variant: nope } }]'));
  await sidecar.logged('SLUICE_FLAG_NOT_ACCEPTED');
  expect(await answer('a')).toEqual([true, true]);
  expect(await sidecar.ready()).toBe(true);
  writeFileSync(path(), flag('a', 'off'));
  await until(async () => (await answer('a'))[0] === false);
  expect(await answer('a')).toEqual([false, false]);
  expect(sidecar.log().match(/is empty/g)).toHaveLength(1);
  const metrics = await (await fetch(`${sidecar.healthUrl}/metrics`)).text();
  expect(metrics).toMatch(/^sluice_rulesets_refused_total\{code="SLUICE_FLAG_FILE"\} [2-9]/m);
  expect(metrics).toMatch(/^sluice_flag_evaluations_total\{flag="a",variant="on",reason="STATIC"\} [1-9]/m);
  expect(metrics).toMatch(/^sluice_ruleset_stale 0$/m);
  expect(metrics).toMatch(/^sluice_ruleset_age_seconds [0-9.e-]+$/m);
});

test('an answer changes at its time without anything being read, and the stream tells', async () => {
  const at = new Date(Date.now() + 3_000).toISOString();
  writeFileSync(
    path(),
    flag('a', 'off', `rules: [{ id: r, when: { time: { after: "${at}" } }, serve: { variant: "on" } }]`),
  );
  const sidecar = await startSidecar(['--file', path()]);
  await until(() => sidecar.ready());
  // Whoever was somewhere else before is told at once where it stands: the time may have come already.
  const headers = { 'last-event-id': 'before' };
  const { body } = await fetch(`${sidecar.url}/ofrep/v1/events`, { headers });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  const value = async () => (await sidecar.post(single('a'), user)).body.value;
  if (Date.now() < Date.parse(at)) expect([false, true]).toContain(await value());
  let told = '';
  while (!/^id: [0-9a-f]{32}\.1$/m.test(told)) told = String((await reader.read()).value);
  expect(await value()).toBe(true);
});

function runToEnd(...args: string[]) {
  const all = ['src/sidecar.ts', '--port', '0', '--health-port', '0', ...args];
  const { status, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8', timeout: 30_000 });
  return { status, stderr };
}

test.each([
  ['a file that is not there', ['--file', '/nowhere.yaml'], 'SLUICE_FLAG_FILE: cannot read /nowhere.yaml'],
  ['no source', [], 'SLUICE_SIDECAR_ARGUMENT: give --file'],
  ['a key that is none', ['--boot', '/x', '--public-key', 'package.json'], 'SLUICE_SIDECAR_ARGUMENT: --public-key'],
])('at the start it ends with status 1 and what to do for %s', (_, args, message) => {
  const { status, stderr } = runToEnd(...args);
  expect([status, stderr]).toEqual([1, expect.stringContaining(`error: ${message}`)]);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^ {7}\S/);
});

test('at the start a file that is no YAML ends it, with the file named', () => {
  cpSync('package.json', path('bad.yaml'));
  writeFileSync(path('bad.yaml'), 'a: [');
  const { status, stderr } = runToEnd('--file', folder);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/SLUICE_FLAG_FILE: .*bad\.yaml/)]);
});

test.each(['--port', '--health-port'])('a %s that is taken ends it, with the option named', async (option) => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { status, stderr } = runToEnd('--file', 'examples/flags', option, String(port));
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining(`SLUICE_SIDECAR_ARGUMENT: ${option}: listen EADDRINUSE`),
  ]);
});
