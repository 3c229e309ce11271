import { createPublicKey } from 'node:crypto';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { INSTALLATION_SECRET, loadInstallation } from '../../../../src/controllers/feature-flag/installation.ts';
import { claimSnapshot } from '../../../../src/controllers/feature-flag/snapshot-store.ts';
import { compileRuleset } from '../../../../src/core/evaluation/compile.ts';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import { parseRuleset } from '../../../../src/wire/ruleset.ts';
import {
  keyIdOf,
  openRuleset,
  type SealedRuleset,
  type SigningKey,
  sealRuleset,
} from '../../../../src/wire/sealed-ruleset.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_FILE } from '../../../../src/wire/snapshot.ts';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { AUTHORITIES, startFlagController } from '../../../support/flag-controller.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { installCrds } from '../../../support/install-crds.ts';
import { makeClient } from '../../../support/kube-client.ts';
import type { Manifest } from '../../../support/manifests.ts';
import { apply, rawApi } from '../../../support/raw-api.ts';

const TIMEOUT_MS = 20_000;
const signal = () => AbortSignal.timeout(TIMEOUT_MS);

let home: string;
let shop: string;

beforeAll(async () => {
  await installCrds(AbortSignal.timeout(60_000));
});

beforeEach(async () => {
  [home, shop] = await Promise.all([makeNamespace('home'), makeNamespace('shop')]);
});

const flagPath = (name: string) => `/apis/sluice.dev/v1alpha1/namespaces/${shop}/featureflags/${name}`;
const snapshotPath = () => `/api/v1/namespaces/${shop}/configmaps/sluice-ruleset`;
const api = (method: string, path: string, options = {}) => rawApi(kubeConfig(), method, path, options);

async function put(name: string, spec: Manifest = {}): Promise<void> {
  const { metadata: _, ...object } = flagObject(name, spec);
  const answer = await apply(kubeConfig(), flagPath(name), { ...object, metadata: { name } });
  expect(answer.status, answer.body.message).toBeLessThan(300);
}

async function flagWhere(name: string, what: string, holds: (status: Manifest) => boolean): Promise<Manifest> {
  let status: Manifest = {};
  const check = async () => {
    status = (await api('GET', flagPath(name))).body.status ?? {};
    return holds(status);
  };
  await waitFor(check, { what: `${name}: ${what}`, timeoutMs: TIMEOUT_MS, everyMs: 50, signal: signal() });
  return status;
}

const condition = (status: Manifest, type: string) =>
  status.conditions?.find((one: Manifest) => one.type === type) ?? {};
const accepted = (name: string, value: 'True' | 'False') =>
  flagWhere(name, `Accepted=${value}`, (status) => condition(status, 'Accepted').status === value);

async function snapshot(): Promise<Manifest> {
  const { status, body } = await api('GET', snapshotPath());
  if (status !== 200) return undefined;
  return { ...body, sealed: decodeSnapshot(Buffer.from(body.binaryData[SNAPSHOT_FILE], 'base64')) };
}

async function snapshotWhere(what: string, holds: (flags: Manifest, sealed: Manifest) => boolean): Promise<Manifest> {
  let latest: Manifest;
  const check = async () => {
    latest = await snapshot();
    return latest?.sealed !== undefined && holds(latest.sealed.ruleset.flags, latest.sealed);
  };
  await waitFor(check, { what, timeoutMs: TIMEOUT_MS, everyMs: 50, signal: signal() });
  return latest.sealed;
}

test('a flag that is applied is in a signed ruleset, which evaluates it, and its status says so', async () => {
  const { published } = await startFlagController(home, [shop]);
  await put('checkout', { defaultVariant: 'on' });
  const status = await accepted('checkout', 'True');
  expect(status).toMatchObject({ observedGeneration: 1, revision: 1, propagation: { desired: 1 } });
  expect(condition(status, 'Published')).toMatchObject({ status: 'True', reason: 'InRuleset' });
  expect(condition(status, 'Expired')).toMatchObject({ status: 'False', reason: 'NoDate' });
  const sealed = await snapshotWhere('the flag in the snapshot', (flags) => flags.checkout !== undefined);
  const secret = (await api('GET', `/api/v1/namespaces/${home}/secrets/${INSTALLATION_SECRET}`)).body;
  const publicKey = createPublicKey(Buffer.from(secret.data['public-key.pem'], 'base64').toString());
  const opened = openRuleset(sealed, new Map([[sealed.signature.keyId, publicKey]]));
  if (!opened.ok) throw new Error(JSON.stringify(opened));
  expect(opened.ruleset).toMatchObject({ flagSetId: shop, revision: 1 });
  expect(evaluate(compileRuleset(opened.ruleset), 'checkout', {}, 0)).toMatchObject({ value: true, reason: 'STATIC' });
  expect(published).toEqual([sealed]);
});

test('a kill goes out with the next revision, also of a flag that is not accepted; others are untouched', async () => {
  const { announced } = await startFlagController(home, [shop]);
  await put('a');
  await put('b');
  await accepted('a', 'True');
  const before = await accepted('b', 'True');
  await put('a', { offVariant: 'missing', defaultVariant: 'missing' });
  await accepted('a', 'False');
  await put('a', { offVariant: 'missing', defaultVariant: 'missing', killSwitch: true });
  await snapshotWhere('the kill', (flags) => flags.a?.killSwitch === true && flags.a.offVariant === 'off');
  const status = await flagWhere('a', 'three revisions', ({ revision }) => revision === 3);
  expect(status.history.map((one: Manifest) => one.accepted)).toEqual([true, false, false]);
  expect(condition(status, 'Accepted').message).toContain('its last good form is served');
  expect((await api('GET', flagPath('b'))).body.status).toEqual(before);
  expect(announced).toContain('Warning a Invalid');
});

test('a flag waits for its prerequisite, and is taken up when that is there', async () => {
  await startFlagController(home, [shop]);
  await put('wallets', { prerequisites: [{ flag: 'payments', variants: ['on'] }] });
  const waiting = await accepted('wallets', 'False');
  expect(condition(waiting, 'Accepted').reason).toBe('PrerequisiteMissing');
  expect(condition(waiting, 'Published').reason).toBe('LeftOut');
  await put('payments');
  await accepted('wallets', 'True');
  await snapshotWhere('both', (flags) => flags.wallets !== undefined && flags.payments !== undefined);
});

test('a deleted flag leaves the ruleset; the last one leaves an empty ruleset behind', async () => {
  await startFlagController(home, [shop]);
  await put('a');
  await snapshotWhere('the flag', (flags) => flags.a !== undefined);
  await api('DELETE', flagPath('a'));
  const { ruleset } = await snapshotWhere('nothing', (flags) => Object.keys(flags).length === 0);
  expect(ruleset.revision).toBe(2);
});

test('another leader goes on with the same key and numbers, and publishes nothing that is published', async () => {
  const first = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await first.stop();
  const second = await startFlagController(home, [shop]);
  const isGiven = async () => second.published.length > 0;
  await waitFor(isGiven, { what: 'the first', timeoutMs: TIMEOUT_MS, everyMs: 50, signal: signal() });
  await put('b');
  await accepted('b', 'True');
  const { ruleset, signature } = await snapshotWhere('both', (flags) => flags.b !== undefined);
  expect(ruleset.revision).toBe(2);
  expect(signature.keyId).toBe(first.published[0]?.signature?.keyId);
  // Evaluators that come to it are given the standing one at first.
  expect(second.published.map((one) => one.ruleset.revision)).toEqual([1, 2]);
});

test('a snapshot that is damaged or deleted comes back with a higher number', async () => {
  await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await api('PATCH', snapshotPath(), {
    body: { binaryData: { [SNAPSHOT_FILE]: 'AAAA' } },
    contentType: 'application/merge-patch+json',
  });
  await snapshotWhere('a second', (flags, sealed) => flags.a !== undefined && sealed.ruleset.revision === 2);
  await api('DELETE', snapshotPath());
  await snapshotWhere('a third', (flags, sealed) => flags.a !== undefined && sealed.ruleset.revision >= 2);
});

test('beside the ruleset evaluators find whom to trust, and are given new authorities without a new revision', async () => {
  const { published } = await startFlagController(home, [shop]);
  await put('a');
  const { signature } = await snapshotWhere('the flag', (flags) => flags.a !== undefined);
  const before = (await snapshot()).data;
  expect(before['ca.crt']).toBe('the first\n');
  expect(keyIdOf(createPublicKey(before['public-key.pem']))).toBe(signature.keyId);
  await accepted('a', 'True');
  AUTHORITIES.current = 'the first\nthe second\n';
  onTestFinished(() => {
    AUTHORITIES.current = 'the first\n';
  });
  await put('b');
  const isTold = async () => (await snapshot()).data['ca.crt'] === AUTHORITIES.current;
  await waitFor(isTold, { what: 'both authorities', timeoutMs: TIMEOUT_MS, everyMs: 50, signal: signal() });
  await accepted('b', 'True');
  await api('PATCH', snapshotPath(), {
    body: { data: { 'ca.crt': 'mine', more: 'x' } },
    contentType: 'application/merge-patch+json',
  });
  await waitFor(isTold, { what: 'the same again', timeoutMs: TIMEOUT_MS, everyMs: 50, signal: signal() });
  const { data, sealed } = await snapshot();
  expect(Object.keys(data).toSorted()).toEqual(['ca.crt', 'public-key.pem']);
  expect(sealed.ruleset.revision).toBe(2);
  expect(Math.max(...published.map(({ ruleset }) => ruleset.revision))).toBe(2);
});

test('a namespace with evaluators and without flags is given an empty ruleset and whom to trust', async () => {
  const { client, sources, published } = await startFlagController(home, [shop]);
  const claim = () => claimSnapshot({ client, snapshots: sources.snapshots }, shop, signal());
  await Promise.all([claim(), claim()]); // two replicas are asked for pods of one namespace
  const { ruleset } = await snapshotWhere('the empty ruleset', (flags) => Object.keys(flags).length === 0);
  expect((await snapshot()).data['ca.crt']).toBe('the first\n');
  await put('a');
  await snapshotWhere('the flag', (flags) => flags.a !== undefined);
  await waitFor(async () => published.length === 2, { what: 'it given out', timeoutMs: TIMEOUT_MS, everyMs: 20 });
  await claim();
  expect([ruleset.revision, ...published.map((one) => one.ruleset.revision)]).toEqual([1, 1, 2]);
});

test.each([
  ['that nobody has signed', (sealed: SealedRuleset) => sealRuleset(sealed.ruleset)],
  [
    'with a forged signature',
    ({ ruleset, signature }: SealedRuleset) => {
      const changed = { ...ruleset, issuedAt: '2030-01-01T00:00:00.000Z' };
      return { ...sealRuleset(changed), signature };
    },
  ],
  [
    'of another namespace',
    ({ ruleset }: SealedRuleset, key: SigningKey) => sealRuleset({ ...ruleset, flagSetId: 'bank' }, key),
  ],
])('a new leader never gives out a snapshot %s, but makes its own', async (_, replace) => {
  const first = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await first.stop();
  const { signingKey } = await loadInstallation(first.client, home, signal());
  const bytes = encodeSnapshot(replace((await snapshot()).sealed, signingKey) as SealedRuleset);
  await api('PATCH', snapshotPath(), {
    body: { binaryData: { [SNAPSHOT_FILE]: bytes.toString('base64') } },
    contentType: 'application/merge-patch+json',
  });
  const second = await startFlagController(home, [shop]);
  await snapshotWhere('its own', (flags, sealed) => flags.a !== undefined && sealed.ruleset.revision === 2);
  const isGiven = async () => second.published.length > 0;
  await waitFor(isGiven, { what: 'its own given out', timeoutMs: TIMEOUT_MS, everyMs: 20, signal: signal() });
  expect(second.published.map(({ ruleset }) => [ruleset.flagSetId, ruleset.revision])).toEqual([[shop, 2]]);
  expect(Object.keys(second.published[0]!.ruleset.flags)).toEqual(['a']);
});

test('a release flag that outlives its day is told by condition, event and count, and is served on', async () => {
  const { announced, counts } = await startFlagController(home, [shop]);
  await put('old', { expiresAfter: '2020-01-01' });
  await put('never', { expiresAfter: '2020-01-01', purpose: 'Operational' });
  const status = await flagWhere('old', 'Expired', (one) => condition(one, 'Expired').status === 'True');
  expect(condition(status, 'Accepted').status).toBe('True');
  await accepted('never', 'True');
  expect(announced).toContain('Warning old Outlived');
  expect(counts.get(shop)).toMatchObject({ total: 2, notAccepted: 0, expired: ['old'] });
});

test('a namespace is counted until it has neither flags nor a ruleset', async () => {
  const { counts } = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await api('DELETE', flagPath('a'));
  const isEmpty = async () => counts.get(shop)?.total === 0;
  await waitFor(isEmpty, { what: 'no flags', timeoutMs: TIMEOUT_MS, everyMs: 20, signal: signal() });
  await api('DELETE', snapshotPath());
  const isGone = async () => !counts.has(shop);
  await waitFor(isGone, { what: 'no count', timeoutMs: TIMEOUT_MS, everyMs: 20, signal: signal() });
});

test('a ruleset that no ConfigMap can hold is refused with a code; what was published stays, and can be killed', async () => {
  const { errors, counts } = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  // What gzip cannot make smaller; below the limit of one object each.
  const noise = () =>
    Array.from({ length: 60_000 }, () => String.fromCharCode(0x4e00 + Math.floor(Math.random() * 20_000)));
  for (let n = 0; n < 8; n++) {
    await put(`large-${n}`, { type: 'string', variants: { off: noise().join('') } });
  }
  const status = await flagWhere('large-7', 'a refusal', (one) => condition(one, 'Published').reason === 'Refused');
  expect(condition(status, 'Published').message).toContain('SLUICE_RULESET_TOO_LARGE');
  const refused = (name: string) =>
    flagWhere(name, 'a refusal', (one) => condition(one, 'Published').reason === 'Refused');
  const versions = async () => {
    const all = await Promise.all(['large-7', 'b'].map((name) => api('GET', flagPath(name))));
    return all.map(({ body }) => body.metadata.resourceVersion);
  };
  await put('b');
  await refused('b');
  const before = await versions();
  // Two more passes have something to say, and it is not about these.
  for (const name of ['c', 'd']) {
    await put(name);
    await refused(name);
  }
  expect(await versions()).toEqual(before);
  // A pass with the same flags does not make the same again.
  const [{ length }, counted] = [errors, counts.get(shop)];
  await api('PATCH', flagPath('a'), {
    body: { metadata: { labels: { x: 'y' } } },
    contentType: 'application/merge-patch+json',
  });
  await waitFor(async () => counts.get(shop) !== counted, { what: 'a pass', timeoutMs: TIMEOUT_MS, everyMs: 20 });
  expect(errors).toHaveLength(length);
  const { ruleset } = await snapshotWhere('the last good one', (flags) => flags.a !== undefined);
  expect(ruleset.flags['large-7']).toBeUndefined();
  await put('a', { killSwitch: true });
  await snapshotWhere('the kill', (flags) => flags.a?.killSwitch === true && flags['large-7'] === undefined);
});

test('more times than evaluators take are refused with a code, and kill switches go out all the same', async () => {
  await startFlagController(home, [shop]);
  // 3,000 times each.
  const withTimes = (index: number, more: Manifest = {}) => {
    const text = (second: number) => new Date(Date.UTC(2027, 0) + (3_000 * index + second) * 1_000).toISOString();
    const window = (n: number) => ({ time: { after: text(2 * n), before: text(2 * n + 1) } });
    const rules = Array.from({ length: 50 }, (_, rule) => ({
      id: `r-${rule}`,
      when: { any: Array.from({ length: 30 }, (_, n) => window(30 * rule + n)) },
      serve: { variant: 'on' },
    }));
    return put(`times-${index}`, { rules, ...more });
  };
  for (const index of [0, 1, 2]) await withTimes(index);
  await snapshotWhere('9,000 times', (_, { ruleset }) => ruleset.timeBoundaries.length === 9_000);
  await withTimes(3);
  const status = await flagWhere('times-3', 'a refusal', (one) => condition(one, 'Published').reason === 'Refused');
  expect(condition(status, 'Published').message).toContain('timeBoundaries must have at most 10000 entries');
  await withTimes(0, { killSwitch: true });
  const { ruleset } = await snapshotWhere('the kill', (flags) => flags['times-0']?.killSwitch === true);
  expect(ruleset.flags['times-3']).toBeUndefined();
  expect(parseRuleset(ruleset)).toMatchObject({ ok: true });
});

const edit = (body: object) => api('PATCH', snapshotPath(), { body, contentType: 'application/merge-patch+json' });
const LAST_NUMBER = { metadata: { annotations: { 'sluice.dev/revision': `${Number.MAX_SAFE_INTEGER}` } } };

test('what an annotation says of the number counts only where the content is lost, and up to a bound', async () => {
  const { published } = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await edit(LAST_NUMBER);
  await put('b');
  await snapshotWhere('b', (flags, { ruleset }) => flags.b !== undefined && ruleset.revision === 2);
  await accepted('b', 'True');
  await edit({ ...LAST_NUMBER, binaryData: { [SNAPSHOT_FILE]: 'AAAA' } });
  await snapshotWhere('its own again', (flags, { ruleset }) => flags.b !== undefined && ruleset.revision === 3);
  expect(Math.max(...published.map(({ ruleset }) => ruleset.revision))).toBeLessThanOrEqual(3);
});

test('an older ruleset of ours in the place of the newest is replaced under a number that evaluators have not seen', async () => {
  const { hub } = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  const { binaryData, metadata } = await snapshot();
  for (const killSwitch of [true, false]) {
    await put('a', { killSwitch });
    await snapshotWhere('the switch', (flags) => flags.a?.killSwitch === killSwitch);
  }
  await edit({ binaryData, metadata: { annotations: metadata.annotations } });
  await snapshotWhere('a fourth', (_, { ruleset }) => ruleset.revision === 4);
  await put('a', { killSwitch: true });
  const { digest } = await snapshotWhere('the kill', (flags) => flags.a?.killSwitch === true);
  await waitFor(async () => hub.newest(shop)?.digest === digest, { what: 'the kill given out', timeoutMs: TIMEOUT_MS });
  expect(hub.newest(shop)?.revision).toBe(5);
});

test('a ruleset is made later than the one before, also where the clock of the next leader is behind', async () => {
  const first = await startFlagController(home, [shop]);
  await put('a');
  await accepted('a', 'True');
  await first.stop();
  const { signingKey } = await loadInstallation(first.client, home, signal());
  const ahead = new Date(Date.now() + 60_000).toISOString();
  const { ruleset } = (await snapshot()).sealed;
  const bytes = encodeSnapshot(sealRuleset({ ...ruleset, issuedAt: ahead }, signingKey));
  await edit({ binaryData: { [SNAPSHOT_FILE]: bytes.toString('base64') } });
  await startFlagController(home, [shop]);
  await put('b');
  const next = await snapshotWhere('b', (flags) => flags.b !== undefined);
  expect(Date.parse(next.ruleset.issuedAt)).toBe(Date.parse(ahead) + 1);
});

test('two operators that start at a time end with one key; a Secret that cannot be used is never overwritten', async () => {
  const client = makeClient();
  const [one, other] = await Promise.all([
    loadInstallation(client, home, signal()),
    loadInstallation(client, home, signal()),
  ]);
  expect(other.signingKey.id).toBe(one.signingKey.id);
  expect(other.unitHashSalt).toBe(one.unitHashSalt);
  const path = `/api/v1/namespaces/${home}/secrets/${INSTALLATION_SECRET}`;
  await api('PATCH', path, {
    body: { data: { 'signing-key.pem': 'AAAA' } },
    contentType: 'application/merge-patch+json',
  });
  await expect(loadInstallation(client, home, signal())).rejects.toMatchObject({ code: 'SLUICE_INSTALLATION_SECRET' });
  expect((await api('GET', path)).body.data['signing-key.pem']).toBe('AAAA');
});
