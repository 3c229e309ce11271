import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLastGood } from '../../../src/rulesets/last-good.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { keyIdOf, type SigningKey, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';
import { startSidecar, until } from '../../support/sidecar.ts';

let folder: string;
let state: string;
let boot: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  state = join(folder, 'state');
  boot = join(folder, 'ruleset.json.gz');
});
afterEach(() => rmSync(folder, { recursive: true }));

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key: SigningKey = { id: keyIdOf(publicKey), privateKey };

const unsigned = (revision: number): Uint8Array =>
  snapshotOf(sealRuleset({ ...rulesetWith({ a: flagWith() }), revision })).bytes;

/** Signed; `more` is put in afterwards. */
function bytesOf(revision: number, more: object = {}): Uint8Array {
  const sealed = sealRuleset({ ...rulesetWith({ a: flagWith() }), revision }, key);
  return snapshotOf({ ...sealed, ruleset: { ...sealed.ruleset, ...more } }).bytes;
}

/** As the kubelet does it. */
function mount(bytes: Uint8Array): void {
  writeFileSync(`${boot}.new`, bytes);
  renameSync(`${boot}.new`, boot);
}

function args(): string[] {
  const pem = join(folder, 'key.pem');
  writeFileSync(pem, publicKey.export({ type: 'spki', format: 'pem' }));
  return ['--boot', boot, '--state-dir', state, '--public-key', pem];
}

const FLAG = '/ofrep/v1/evaluate/flags/a';

test('it is not ready before there is a ruleset, and is as soon as the mounted one appears', async () => {
  const sidecar = await startSidecar(args());
  expect(await sidecar.ready()).toBe(false);
  expect((await sidecar.post(FLAG, {})).body.code).toBe('SLUICE_EVALUATOR_NOT_READY');
  mount(bytesOf(3));
  await until(() => sidecar.ready());
  // Nobody has confirmed that there is nothing newer.
  expect((await sidecar.post(FLAG, {})).body.metadata).toMatchObject({ version: '3', stale: true });
  expect(await sidecar.stop('SIGTERM')).toBe(0);
});

test('killed and started anew without any source, it answers by the last good ruleset', async () => {
  mount(bytesOf(3));
  const first = await startSidecar(args());
  await until(() => first.ready());
  await until(async () => (await readLastGood(state)) !== undefined);
  expect(await first.stop('SIGKILL')).toBe('SIGKILL');
  rmSync(boot);
  const second = await startSidecar(args());
  await until(() => second.ready());
  expect((await second.post(FLAG, {})).body.metadata.version).toBe('3');
});

test('of the mounted and the kept ruleset the newer one answers', async () => {
  mount(bytesOf(9));
  const first = await startSidecar(args());
  await until(async () => (await readLastGood(state)) !== undefined);
  await first.stop();
  mount(bytesOf(4));
  const second = await startSidecar(args());
  await until(() => second.ready());
  expect((await second.post(FLAG, {})).body.metadata.version).toBe('9');
});

test('a last-good file that was cut is refused whole, and the next ruleset takes its place', async () => {
  mount(bytesOf(3));
  const first = await startSidecar(args());
  await until(async () => (await readLastGood(state)) !== undefined);
  await first.stop();
  const file = join(state, 'last-good');
  truncateSync(file, readFileSync(file).length - 20);
  rmSync(boot);
  const second = await startSidecar(args());
  await second.logged('SLUICE_LAST_GOOD_DAMAGED');
  expect(await second.ready()).toBe(false);
  mount(bytesOf(4));
  await until(() => second.ready());
  await until(async () => (await readLastGood(state))?.kind === 'Ruleset');
});

test.each([
  ['of a newer schema', () => bytesOf(5, { schema: 'sluice.ruleset/v2' }), 'SLUICE_RULESET_NEWER'],
  ['with a broken digest', () => bytesOf(5, { unitHashSalt: 'x' }), 'SLUICE_RULESET_DIGEST'],
  ['that nobody signed', () => unsigned(5), 'SLUICE_RULESET_SIGNATURE'],
  ['that was cut', () => bytesOf(5).subarray(0, 100), 'SLUICE_RULESET_INVALID'],
])('a ruleset %s is refused, and the one before goes on', async (_, bytes, code) => {
  mount(bytesOf(3));
  const sidecar = await startSidecar(args());
  await until(() => sidecar.ready());
  mount(bytes());
  await sidecar.logged(code);
  expect((await sidecar.post(FLAG, {})).body.metadata).toMatchObject({ version: '3', stale: true });
  expect(await sidecar.ready()).toBe(true);
});

test('killed with -9 in the middle of writing, again and again, the file is always one that was written', async () => {
  mkdirSync(state);
  let newest = 0;
  for (let round = 0; round < 12; round++) {
    const writer = spawn(process.execPath, ['test/support/last-good-writer.ts', state], { stdio: 'pipe' });
    let said = '';
    writer.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    await once(writer.stdout, 'data');
    // Another moment of the cycle in each round.
    await new Promise((resolve) => setTimeout(resolve, round * 3));
    writer.kill('SIGKILL');
    await once(writer, 'close');
    newest = Math.max(...said.trim().split('\n').map(Number));
    const kept = await readLastGood(state);
    if (kept?.kind !== 'Ruleset') throw new Error(`round ${round}: ${JSON.stringify(kept)}`);
    // The one that was under way may have got through.
    expect([newest, newest + 1]).toContain(kept.snapshot.ruleset.revision);
  }
  expect(newest).toBeGreaterThan(0);
});

test('on a full disk it goes on to answer, says so, and keeps the file that was there', async () => {
  mount(bytesOf(3));
  mkdirSync(state);
  const tiny = [
    'unshare',
    '--mount',
    '--map-root-user',
    'sh',
    '-c',
    `mount -t tmpfs -o size=16k tmpfs ${state} && exec "$@"`,
    '-',
  ];
  const sidecar = await startSidecar(args(), tiny);
  await until(() => sidecar.ready());
  const inside = `/proc/${sidecar.process.pid}/root${state}`;
  await until(async () => (await readLastGood(inside)) !== undefined);
  const keys = Array.from({ length: 1_000 }, () => randomBytes(32).toString('hex')); // gzip cannot make these small
  const flags = Object.fromEntries(['a', ...keys].map((name) => [name, flagWith()]));
  mount(snapshotOf(sealRuleset({ ...rulesetWith(flags), revision: 4 }, key)).bytes);
  await sidecar.logged('SLUICE_LAST_GOOD_NOT_WRITTEN');
  expect((await sidecar.post(FLAG, {})).body.metadata.version).toBe('4');
  const kept = await readLastGood(inside);
  expect(kept).toMatchObject({ kind: 'Ruleset', snapshot: { ruleset: { revision: 3 } } });
  const metrics = await (await fetch(`${sidecar.healthUrl}/metrics`)).text();
  expect(metrics).toMatch(/^sluice_last_good_failures_total [1-9]/m);
});
