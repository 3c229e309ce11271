import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EpochMs } from '../../../src/base/units.ts';
import { readLastGood } from '../../../src/rulesets/last-good.ts';
import { keyIdOf, type SealedRuleset, type SigningKey, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { encodeSnapshot } from '../../../src/wire/snapshot.ts';
import { checkClient } from '../../support/ext-authz.ts';
import { EXTENSIONS } from '../../support/gateway.ts';
import { startSidecar, until } from '../../support/sidecar.ts';
import { give, identityWith, issueTls, reachNow, sealedWith, TestOperator } from '../../support/stream.ts';
import { TcpService } from '../../support/tcp-service.ts';

const FLAG = '/ofrep/v1/evaluate/flags/checkout';

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-follow-'));
  state = join(folder, 'state');
  put('token', 'good');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a file in place whole, as the kubelet does it. */
function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  return path;
}

/** The sidecar of the pod `web-1` in `shop`. */
const follow = (address: string, ...more: string[]) =>
  startSidecar([
    ...['--operator', address, '--flag-set', 'shop', '--subscriber', 'web-1'],
    ...['--token-file', join(folder, 'token'), '--state-dir', state, ...more],
  ]);

type Sidecar = Awaited<ReturnType<typeof follow>>;
const ask = async (sidecar: Sidecar) => (await sidecar.post(FLAG, {})).body;
const answersBy = (sidecar: Sidecar, revision: number) =>
  until(async () => (await ask(sidecar)).metadata?.version === String(revision));
const metric = async ({ healthUrl }: Sidecar, name: string) => {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
};
const isKept = (revision: number) => async () => {
  const kept = await readLastGood(state);
  return kept?.kind === 'Ruleset' && kept.snapshot.ruleset.revision === revision;
};

/** An operator that leads, with a ruleset of this revision. */
async function leaderWith(revision: number, options: ConstructorParameters<typeof TestOperator>[0] = {}) {
  const operator = new TestOperator(options);
  await operator.start();
  give(operator.lead(), sealedWith(revision));
  return operator;
}
const portOf = ({ address }: TestOperator) => Number(new URL(address).port);

async function serviceOf(operator: TestOperator): Promise<TcpService & { address: string }> {
  const service = new TcpService();
  await service.start();
  service.target = portOf(operator);
  return Object.assign(service, { address: `http://127.0.0.1:${service.port}` });
}

test('a sidecar follows the stream, says what it runs and was asked for, and answers fresh', async () => {
  const operator = new TestOperator();
  await operator.start();
  const { hub, reach } = reachNow(operator);
  give(hub, sealedWith(1));
  const sidecar = await follow(operator.address);
  await until(() => sidecar.ready());
  expect((await ask(sidecar)).metadata).toEqual({ flagSetId: 'shop', version: '1' });
  give(hub, sealedWith(2));
  await answersBy(sidecar, 2);
  await until(async () => (await reach())?.running[0] === 2);
  expect([...(await reach())!.evaluatedAt.keys()]).toEqual(['checkout']);
  expect(await sidecar.stop()).toBe(0);
  await until(() => hub.subscribers === 0);
});

test('it begins with the newer of the mounted and the kept ruleset, and goes on with the stream', async () => {
  const operator = await leaderWith(5);
  const boot = put('ruleset.json.gz', encodeSnapshot(sealedWith(3)));
  const first = await follow(operator.address, '--boot', boot);
  await answersBy(first, 5);
  await until(isKept(5));
  await first.stop();
  await operator.stop();
  const second = await follow(operator.address, '--boot', boot);
  await until(() => second.ready());
  expect((await ask(second)).metadata).toMatchObject({ version: '5', stale: true });
  const back = new TestOperator();
  await back.start(portOf(operator));
  give(back.lead(), sealedWith(6));
  await answersBy(second, 6);
  expect((await ask(second)).metadata.stale).toBeUndefined();
});

test('killed with -9 while the operator is away, it starts anew with what it had, and is ready', async () => {
  const operator = await leaderWith(4);
  const first = await follow(operator.address);
  await answersBy(first, 4);
  await until(isKept(4));
  await operator.stop();
  expect((await ask(first)).metadata.version).toBe('4');
  expect(await first.stop('SIGKILL')).toBe('SIGKILL');
  const second = await follow(operator.address);
  await until(() => second.ready());
  expect((await ask(second)).metadata).toMatchObject({ version: '4', stale: true });
});

test('an operator that is killed and comes back, or another that leads, goes on with the next revision', async () => {
  const first = await leaderWith(1);
  const service = await serviceOf(first);
  const sidecar = await follow(service.address);
  await answersBy(sidecar, 1);
  service.target = undefined;
  service.breakAll();
  expect((await ask(sidecar)).metadata.version).toBe('1');
  // A replica that does not lead, then one that does.
  const next = new TestOperator();
  await next.start();
  service.target = portOf(next);
  await sidecar.logged('SLUICE_STREAM_');
  give(next.lead(), sealedWith(2));
  await answersBy(sidecar, 2);
  expect(await metric(sidecar, 'sluice_ruleset_stale')).toBe(0);
  expect(await sidecar.ready()).toBe(true);
});

test('a stream that is cut in the middle of a snapshot changes nothing, and the whole snapshot is fetched again', async () => {
  const operator = await leaderWith(1);
  const service = await serviceOf(operator);
  const sidecar = await follow(service.address);
  await answersBy(sidecar, 1);
  service.target = undefined;
  service.breakAll();
  const text = Array.from({ length: 5_000 }, () => Math.random().toString(36).slice(2)).join(''); // gzip halves it
  give(operator.hub!, sealedWith(2, { text }));
  service.cutAfterBytes = 20_000;
  service.target = portOf(operator);
  await until(() => service.cuts >= 2);
  expect((await ask(sidecar)).metadata.version).toBe('1');
  service.cutAfterBytes = Number.POSITIVE_INFINITY;
  await answersBy(sidecar, 2);
  expect(await metric(sidecar, 'sluice_rulesets_refused_total\\{.*\\}')).toBeNaN();
});

test('the token that lies on disk counts: a stream that ends with the old one comes back with the new', async () => {
  const operator = await leaderWith(1);
  let end: EpochMs | undefined;
  const short = Object.defineProperty({ ...identityWith() }, 'expiresAt', {
    get: () => (end ??= (Date.now() + 1_000) as EpochMs), // from its first review, whenever the process gets to it
  });
  operator.tokens.set('short', short);
  operator.tokens.set('next', identityWith());
  put('token', 'short');
  const sidecar = await follow(operator.address);
  await answersBy(sidecar, 1);
  await until(() => operator.hub?.subscribers === 0);
  give(operator.hub!, sealedWith(2));
  await sidecar.logged('SLUICE_STREAM_TOKEN');
  expect((await ask(sidecar)).metadata.version).toBe('1');
  put('token', 'next');
  await answersBy(sidecar, 2);
});

test.each([
  ['with a broken digest', (sealed: SealedRuleset) => ({ ...sealed, digest: `sha256:${'0'.repeat(64)}` }), 'DIGEST'],
  [
    'of a newer schema',
    (sealed: SealedRuleset) => {
      const schema = 'sluice.ruleset/v2' as 'sluice.ruleset/v1';
      return sealRuleset({ ...sealed.ruleset, schema });
    },
    'NEWER',
  ],
])('a ruleset %s is refused, said so, and the next good one is taken', async (_, spoil, code) => {
  const operator = await leaderWith(1);
  const sidecar = await follow(operator.address);
  await answersBy(sidecar, 1);
  give(operator.hub!, spoil(sealedWith(2)));
  await sidecar.logged(`SLUICE_RULESET_${code}`);
  expect((await ask(sidecar)).metadata).toMatchObject({ version: '1', stale: true });
  expect(await sidecar.ready()).toBe(true);
  give(operator.hub!, sealedWith(3));
  await answersBy(sidecar, 3);
  expect((await ask(sidecar)).metadata.stale).toBeUndefined();
});

test('a sidecar that may not read the stream serves on by what was mounted, and takes what is mounted later', async () => {
  const operator = new TestOperator();
  await operator.start();
  operator.tokens.set('good', identityWith({ user: 'system:serviceaccount:bank:web', home: 'bank' }));
  const boot = put('ruleset.json.gz', encodeSnapshot(sealedWith(3)));
  const sidecar = await follow(operator.address, '--boot', boot);
  await sidecar.logged('SLUICE_STREAM_STANDBY');
  give(operator.lead(), sealedWith(9));
  await sidecar.logged('SLUICE_STREAM_DENIED'); // the second reason is told too
  await until(() => sidecar.ready());
  expect((await ask(sidecar)).metadata).toMatchObject({ version: '3', stale: true });
  put('ruleset.json.gz', encodeSnapshot(sealedWith(4)));
  await answersBy(sidecar, 4);
});

test('a mounted ruleset of another flag set is refused, and the stream is taken', async () => {
  const operator = await leaderWith(2);
  const { ruleset } = sealedWith(7);
  const boot = put('ruleset.json.gz', encodeSnapshot(sealRuleset({ ...ruleset, flagSetId: 'bank' })));
  const sidecar = await follow(operator.address, '--boot', boot);
  await answersBy(sidecar, 2);
  await sidecar.logged('a ruleset of the flag set bank');
});

test('whom to trust may come after the start, and changes while the stream goes on', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key: SigningKey = { id: keyIdOf(publicKey), privateKey };
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const [first, second] = [issueTls(), issueTls()];
  const operator = new TestOperator({ tls: first });
  await operator.start();
  give(operator.lead(), sealedWith(1, { key }));
  const files = ['--ca-file', join(folder, 'ca.crt'), '--public-key', join(folder, 'public-key.pem')];
  const sidecar = await follow(operator.address, ...files);
  await sidecar.logged('SLUICE_STREAM_UNTRUSTED');
  expect(await sidecar.ready()).toBe(false);
  const published = () => fetch(`${sidecar.url}/config-bundle/public-key`);
  expect((await published()).status).toBe(404);
  put('public-key.pem', pem);
  put('ca.crt', first.ca);
  await answersBy(sidecar, 1);
  expect(await (await published()).text()).toBe(pem);

  // Rotation: both are trusted, the new one is served, then it alone is trusted.
  put('ca.crt', first.ca + second.ca);
  operator.reload(second);
  give(operator.hub!, sealedWith(2, { key }));
  await answersBy(sidecar, 2);
  expect(operator.hub?.subscribers).toBe(1);
  for (const socket of operator.sockets) socket.destroy();
  give(operator.hub!, sealedWith(3, { key }));
  await answersBy(sidecar, 3);
  put('ca.crt', second.ca);
  for (const socket of operator.sockets) socket.destroy();
  await until(() => operator.hub?.subscribers === 0);
  give(operator.hub!, sealedWith(4, { key }));
  await answersBy(sidecar, 4);

  // Signed by somebody else.
  const other = generateKeyPairSync('ed25519').privateKey;
  give(operator.hub!, sealedWith(5, { key: { id: key.id, privateKey: other } }));
  await sidecar.logged('SLUICE_RULESET_SIGNATURE');
  expect((await ask(sidecar)).metadata.version).toBe('4');
});

test('no token is sent to who is not known by the authorities', async () => {
  const operator = await leaderWith(1, { tls: issueTls() });
  const ca = put('ca.crt', issueTls().ca);
  let requests = 0;
  Object.defineProperty(operator, 'hub', { get: () => void requests++, set: () => {} });
  const sidecar = await follow(operator.address, '--ca-file', ca);
  await sidecar.logged('SLUICE_STREAM_UNTRUSTED');
  expect([requests, await sidecar.ready()]).toEqual([0, false]);
});

test('told to fail closed, it refuses to answer while the operator was not heard for so long', {
  timeout: 120_000,
}, async () => {
  const operator = await leaderWith(1);
  const service = await serviceOf(operator);
  const sidecar = await follow(service.address, '--fail-closed-after', '30s', '--ext-authz-port', '0');
  await answersBy(sidecar, 1);
  const gateway = checkClient(Number(/"extAuthzPort":(\d+)/.exec(sidecar.log())?.[1]));
  const routed = async (reason: string) => {
    const { set } = await gateway.check({ headers: { 'x-user-id': 'user-1' }, extensions: EXTENSIONS });
    expect(set['x-sluice-variant']).toBe('stable');
    return metric(sidecar, `sluice_gateway_checks_total\\{.*reason="${reason}".*\\}`);
  };
  expect(await routed('RolloutUnknown')).toBe(1);
  service.target = undefined;
  service.breakAll();
  await until(async () => (await ask(sidecar)).code === 'SLUICE_EVALUATOR_FAIL_CLOSED');
  expect(await routed('NotReady')).toBe(1);
  const readyz = await fetch(`${sidecar.healthUrl}/readyz`);
  expect([readyz.status, await readyz.text()]).toEqual([503, expect.stringContaining('--fail-closed-after')]);
  service.target = portOf(operator);
  await answersBy(sidecar, 1);
  expect(await sidecar.ready()).toBe(true);
});

test('where there is no ruleset, a sidecar is ready when it was told to wait no longer, and answers by the first one', async () => {
  const operator = new TestOperator();
  await operator.start();
  const hub = operator.lead();
  const sidecar = await follow(operator.address, '--ready-without-after', '1s');
  await until(() => sidecar.ready());
  expect((await sidecar.post(FLAG, {})).status).toBe(500);
  give(hub, sealedWith(1));
  await answersBy(sidecar, 1);
});
