import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { RulesetHub } from '../../../src/rulesets/hub.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  contentOf,
  give,
  identityWith,
  reachNow,
  sealedWith,
  startEvaluator,
  TestOperator,
  until,
} from '../../support/stream.ts';

const ACK = {
  schema: 'sluice.acknowledgement/v1',
  flagSetId: 'shop',
  subscriber: 'pod-1',
  revision: 1,
  digest: `sha256:${'0'.repeat(64)}`,
  state: 'Running',
  evaluated: [],
};

test('an evaluator gets each ruleset and acknowledges it, with the keys that were asked for', async () => {
  const operator = new TestOperator();
  await operator.start();
  const { hub, reach } = reachNow(operator);
  give(hub, sealedWith(1));
  const evaluator = await startEvaluator(operator.address);
  await until('revision 1', () => evaluator.running()?.revision === 1);
  evaluator.evaluated.add('checkout').add('unknown');
  give(hub, sealedWith(2));
  await until('the acknowledgement', async () => (await reach())?.running[0] === 2);
  const { running, seconds, evaluatedAt } = (await reach())!;
  expect(running).toEqual([2]);
  expect(seconds.get(2)).toHaveLength(1);
  expect([...evaluatedAt.keys()]).toEqual(['checkout']);
});

test('a stream that is cut is taken up again, and who has the newest is only told so', async () => {
  const operator = new TestOperator();
  await operator.start();
  give(operator.lead(), sealedWith(1));
  const evaluator = await startEvaluator(operator.address);
  await until('revision 1', () => evaluator.running()?.revision === 1);
  for (const socket of operator.sockets) socket.destroy();
  await until('the confirmation', () => evaluator.news.some(({ kind }) => kind === 'Confirmed'));
  expect(evaluator.news.filter(({ kind }) => kind === 'Ruleset')).toHaveLength(1);
  give(operator.hub!, sealedWith(2));
  await until('revision 2', () => evaluator.running()?.revision === 2);
});

test('an operator that was restarted goes on with the next revision, through replicas that do not lead', async () => {
  const first = new TestOperator();
  const port = await first.start();
  give(first.lead(), sealedWith(1));
  const evaluator = await startEvaluator(first.address);
  await until('revision 1', () => evaluator.running()?.revision === 1);
  await first.stop();
  const second = new TestOperator();
  let standbys = 0;
  Object.defineProperty(second, 'hub', { get: () => void standbys++, set: () => {}, configurable: true });
  await second.start(port);
  await until('two refusals of the standby', () => standbys >= 2);
  Object.defineProperty(second, 'hub', { value: undefined, writable: true });
  give(second.lead(), sealedWith(2));
  await until('revision 2', () => evaluator.running()?.revision === 2);
  expect(evaluator.news.map(({ kind }) => kind)).not.toContain('Refused');
});

test('a stream ends with its token and comes back with the one that lies in the file by then', async () => {
  const operator = new TestOperator();
  operator.tokens.set('short', identityWith({ expiresAt: (Date.now() + 700) as EpochMs }));
  operator.tokens.set('next', identityWith());
  await operator.start();
  give(operator.lead(), sealedWith(1));
  const evaluator = await startEvaluator(operator.address, { token: 'short' });
  await until('revision 1', () => evaluator.running()?.revision === 1);
  await until('the end of the stream', () => operator.hub?.subscribers === 0);
  give(operator.hub!, sealedWith(2));
  expect(evaluator.running()?.revision).toBe(1);
  await evaluator.setToken('next');
  await until('revision 2', () => evaluator.running()?.revision === 2);
});

test('a snapshot with a broken digest, a strange signature or a newer schema is refused whole, and said so', async () => {
  const [ours, theirs] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  const key = { id: 'ours', privateKey: ours.privateKey };
  const operator = new TestOperator();
  await operator.start();
  const hub = operator.lead();
  const keys = new Map([['ours', ours.publicKey]]);
  give(hub, sealedWith(1, { key }));
  const evaluator = await startEvaluator(operator.address, { keys });
  await until('revision 1', () => evaluator.running()?.revision === 1);
  const refusals = () => evaluator.news.flatMap((one) => (one.kind === 'Refused' ? [one.code] : []));

  const broken = sealedWith(2, { key });
  give(hub, { ...broken, digest: `sha256:${'0'.repeat(64)}` });
  await until('the refusal', () => refusals().includes('SLUICE_RULESET_DIGEST'));
  // It may have been damaged on its way, so it is fetched again.
  await until('two more', () => refusals().length >= 3);
  give(hub, sealedWith(3, { key: { id: 'ours', privateKey: theirs.privateKey } }));
  await until('the refusal', () => refusals().includes('SLUICE_RULESET_SIGNATURE'));
  const newer = sealedWith(4, { key });
  give(hub, { ...newer, ruleset: { ...newer.ruleset, schema: 'sluice.ruleset/v2' as 'sluice.ruleset/v1' } });
  await until('the refusal', () => refusals().includes('SLUICE_RULESET_NEWER'));
  expect(hub.subscribers).toBe(1);
  hub.publish(sealedWith(5, { key }), 'AAAA');
  await until('the refusal', () => refusals().includes('SLUICE_RULESET_INVALID'));
  expect(evaluator.running()?.revision).toBe(1);

  give(hub, sealedWith(6, { key }));
  await until('revision 6', () => evaluator.running()?.revision === 6);
});

test('who does not read is owed the newest ruleset and nothing in between', async () => {
  const operator = new TestOperator();
  await operator.start();
  const hub = operator.lead();
  const { port, hostname } = new URL(operator.address);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write('GET /rulesets/shop?subscriber=slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n\r\n');
  await until('the stream', () => hub.subscribers === 1);
  const content = 'A'.repeat(1_000_000); // more in all than the buffers of the kernel take
  for (let revision = 1; revision <= 60; revision++) {
    hub.publish(sealedWith(revision), content);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [server] = operator.sockets;
  // What waits in this process: one event.
  expect(server!.writableLength).toBeLessThan(2_000_000);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  await until('the newest', () => /\nid: 60\n/.test(text));
  expect(text.match(/^id: /gm)!.length).toBeLessThan(40);
});

test('a thousand evaluators run a change, and all have said so', async () => {
  const operator = new TestOperator();
  await operator.start();
  const { hub, reach } = reachNow(operator);
  give(hub, sealedWith(1));
  const names = Array.from({ length: 1_000 }, (_, index) => `pod-${index}`);
  const evaluators = await Promise.all(names.map((subscriber) => startEvaluator(operator.address, { subscriber })));
  await until('all connected', () => evaluators.every(({ running }) => running()?.revision === 1));
  give(hub, sealedWith(2));
  const isAcknowledged = async () => {
    const { running = [] } = (await reach()) ?? {};
    return running.length === 1_000 && running.every((revision) => revision === 2);
  };
  // Each look moves the hub's time on, which pings all of them.
  await waitFor(isAcknowledged, { what: 'all acknowledgements', timeoutMs: 30_000, everyMs: 500 });
  expect((await reach())?.seconds.get(2)).toHaveLength(1_000);
});

test('an evaluator that is told to stop does so at once, also while nobody answers', async () => {
  const evaluator = await startEvaluator('http://127.0.0.1:9'); // nobody listens
  await evaluator.stop();
  const operator = new TestOperator();
  await operator.start();
  give(operator.lead(), sealedWith(1));
  const connected = await startEvaluator(operator.address);
  await until('revision 1', () => connected.running() !== undefined);
  await connected.stop();
  await until('the end of the stream', () => operator.hub?.subscribers === 0);
});

test('flags of another namespace need the right to them, and a token of a pod speaks for no other', async () => {
  const operator = new TestOperator({ streams: 1 });
  await operator.start();
  const hub = operator.lead();
  operator.tokens.set('bound', identityWith({ pod: 'pod-1' }));
  operator.tokens.set('old', identityWith({ expiresAt: (Date.now() - 1) as EpochMs }));
  const ask = async (path: string, token: string | undefined) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const end = new AbortController();
    const { status } = await fetch(`${operator.address}${path}`, { headers, signal: end.signal });
    end.abort();
    await until('the end of the stream', () => hub.subscribers === 0);
    return status;
  };
  expect(await ask('/rulesets/shop?subscriber=a', 'good')).toBe(200);
  expect(await ask('/rulesets/bank?subscriber=a', 'good')).toBe(403);
  operator.tokens.set('gateway', identityWith({ user: 'system:serviceaccount:edge:envoy', home: 'edge' }));
  operator.rights.add('system:serviceaccount:edge:envoy shop');
  expect(await ask('/rulesets/shop?subscriber=a', 'gateway')).toBe(200);
  expect(await ask('/rulesets/bank?subscriber=a', 'gateway')).toBe(403);
  expect(await ask('/rulesets/shop?subscriber=a', undefined)).toBe(401);
  expect(await ask('/rulesets/shop?subscriber=a', 'other')).toBe(401);
  expect(await ask('/rulesets/shop?subscriber=a', 'old')).toBe(401);
  expect(await ask('/rulesets/shop?subscriber=pod-1', 'bound')).toBe(200);
  expect(await ask('/rulesets/shop?subscriber=pod-2', 'bound')).toBe(403);
  expect(await ask('/rulesets/shop', 'good')).toBe(400);
  expect(await ask('/rulesets/..%2f?subscriber=a', 'good')).toBe(400);
  operator.isAway = true;
  expect(await ask('/rulesets/shop?subscriber=a', 'unseen')).toBe(502);
  await startEvaluator(operator.address);
  await until('the one stream', () => hub.subscribers === 1);
  const full = await fetch(`${operator.address}/rulesets/shop?subscriber=b`, {
    headers: { authorization: 'Bearer good' },
  });
  expect([full.status, full.headers.get('retry-after')]).toEqual([429, '1']);
});

test('acknowledgements are bounded, and are refused before they are read from whom nobody knows', async () => {
  const operator = new TestOperator();
  await operator.start();
  const post = async (body: string, token = 'good') => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const { status } = await fetch(`${operator.address}/acks`, { method: 'POST', body, headers });
    return status;
  };
  expect(await post(JSON.stringify(ACK))).toBe(503);
  operator.lead();
  expect(await post(JSON.stringify(ACK))).toBe(204);
  expect(await post('{', 'unknown')).toBe(401);
  expect(await post('{')).toBe(400);
  expect(await post('null')).toBe(400);
  expect(await post('{"__proto__":1}')).toBe(400);
  expect(await post(JSON.stringify({ ...ACK, state: 'Fine' }))).toBe(400);
  expect(await post(JSON.stringify({ ...ACK, evaluated: ['x'.repeat(1_048_576)] }))).toBe(413);
  expect(operator.hub?.subscribers).toBe(0);
});

test('keys beyond what one acknowledgement takes come in the next', async () => {
  const operator = new TestOperator();
  await operator.start();
  const { hub, reach } = reachNow(operator);
  const { ruleset } = sealedWith(1);
  const keys = Array.from({ length: 2_500 }, (_, index) => `flag-${index}`);
  const flags = Object.fromEntries(keys.map((key) => [key, ruleset.flags.checkout!]));
  give(hub, sealRuleset({ ...ruleset, flags }));
  const evaluator = await startEvaluator(operator.address);
  await until('revision 1', () => evaluator.running()?.revision === 1);
  for (const key of keys) evaluator.evaluated.add(key);
  give(hub, sealRuleset({ ...ruleset, flags, revision: 2 }));
  await until('all keys', async () => (await reach())?.evaluatedAt.size === 2_500);
});

test('acknowledgements that were answered leave room for others', async () => {
  const operator = new TestOperator({ bodyBytes: 2_000 });
  await operator.start();
  operator.lead();
  const headers = { authorization: 'Bearer good', 'content-type': 'application/json' };
  const post = async (body: string) =>
    (await fetch(`${operator.address}/acks`, { method: 'POST', body, headers })).status;
  const long = JSON.stringify({ ...ACK, evaluated: ['x'.repeat(250), 'y'.repeat(250), 'z'.repeat(250)] });
  for (let sent = 0; sent < 10; sent++) expect(await post(long)).toBe(204);
  expect(await post(long + ' '.repeat(2_000))).toBe(429);
});

test('an acknowledgement whose sender goes while its token is reviewed takes no room for ever', async () => {
  const operator = new TestOperator({ bodyBytes: 2_000 });
  await operator.start();
  operator.lead();
  const review = Promise.withResolvers<void>();
  let reviews = 0;
  operator.beforeReview = () => {
    reviews++;
    return review.promise;
  };
  const { port, hostname } = new URL(operator.address);
  const socket = connect(Number(port), hostname);
  const head = ['POST /acks HTTP/1.1', 'host: x', 'authorization: Bearer good', 'content-length: 1900'];
  socket.write(`${head.join('\r\n')}\r\n\r\n{`);
  await until('the review', () => reviews === 1);
  socket.destroy();
  await until('the end of the connection', () => operator.sockets.size === 0);
  review.resolve();
  const headers = { authorization: 'Bearer good', 'content-type': 'application/json' };
  const { status } = await fetch(`${operator.address}/acks`, { method: 'POST', body: JSON.stringify(ACK), headers });
  expect(status).toBe(204);
});

test('a ruleset of another flag set is refused', async () => {
  const operator = new TestOperator();
  await operator.start();
  const hub = operator.lead();
  const { ruleset } = sealedWith(1);
  const strange = sealRuleset({ ...ruleset, flagSetId: 'bank' });
  hub.publish({ ...strange, ruleset: { ...strange.ruleset, flagSetId: 'shop' } }, contentOf(strange));
  const evaluator = await startEvaluator(operator.address);
  await until('the refusal', () => evaluator.news.some(({ kind }) => kind === 'Refused'));
  expect(evaluator.news).toMatchObject([{ code: 'SLUICE_RULESET_INVALID' }]);
});

test('an evaluator that no new leader knows runs what is made of its namespace anew, and says so', async () => {
  const first = new TestOperator();
  const port = await first.start();
  give(first.lead(), sealedWith(37));
  const holder = new RulesetHolder({ clock: systemClock, logger: silent });
  const evaluator = await startEvaluator(first.address, { holder });
  await until('revision 37', () => evaluator.running()?.revision === 37);
  await first.stop();
  const second = new TestOperator();
  await second.start(port);
  const { hub, reach } = reachNow(second);
  const issuedAt = new Date(Date.now() + 1_000).toISOString();
  give(hub, sealRuleset({ ...sealedWith(1).ruleset, issuedAt }));
  await until('revision 1', () => evaluator.running()?.revision === 1);
  await until('the acknowledgement', async () => (await reach())?.running.join() === '1');
  expect((await reach())?.seconds.get(1)).toHaveLength(1);
  expect(evaluator.news.map(({ kind }) => kind)).not.toContain('Refused');
  expect(holder.stale).toBe(false);
});

test('who is given another ruleset than it runs for longer than a ping is stale, and asks for it anew once', async () => {
  const clock = new FakeClock(Date.now());
  const operator = new TestOperator();
  await operator.start();
  const hub = new RulesetHub({ clock, onReach: () => {} });
  operator.hub = hub;
  const [older, newer] = [sealedWith(36), sealedWith(37)];
  const issuedAt = new Date(Date.parse(older.ruleset.issuedAt) - 60_000).toISOString();
  const holder = new RulesetHolder({ clock, logger: silent });
  holder.take({ kind: 'Ruleset', snapshot: snapshotOf(newer), live: true });
  give(hub, sealRuleset({ ...older.ruleset, issuedAt })); // of a replica that lags, or from a backup
  const evaluator = await startEvaluator(operator.address, { clock, holder });
  await until('the snapshot', () => evaluator.news.length === 1);
  await clock.advance(14_000);
  expect([holder.stale, holder.current?.compiled.revision]).toEqual([false, 37]);
  const step = async () => void (await clock.advance(1_000));
  await until('stale', async () => {
    await step();
    return holder.stale;
  });
  expect([...holder.refusals]).toEqual([['SLUICE_RULESET_DIFFERS', 1]]);
  await until('the snapshot again', async () => {
    await step();
    return evaluator.news.filter(({ kind }) => kind === 'Ruleset').length === 2;
  });
  for (let second = 0; second < 60; second++) await step();
  expect(evaluator.news.map(({ kind }) => kind)).toEqual(['Ruleset', 'Refused', 'Ruleset']);
  expect([holder.stale, holder.current?.compiled.revision]).toEqual([true, 37]);
  give(hub, newer);
  await until('the end of it', () => !holder.stale);
});

test('who has the number and not the content asks for the content', async () => {
  const clock = new FakeClock(Date.now());
  const operator = new TestOperator();
  await operator.start();
  operator.hub = new RulesetHub({ clock, onReach: () => {} });
  const before = sealedWith(7);
  const issuedAt = new Date(Date.parse(before.ruleset.issuedAt) + 60_000).toISOString();
  const holder = new RulesetHolder({ clock, logger: silent });
  holder.take({ kind: 'Ruleset', snapshot: snapshotOf(before), live: true });
  const after = sealRuleset({ ...before.ruleset, issuedAt });
  give(operator.hub, after);
  await startEvaluator(operator.address, { clock, holder });
  await until('the other', async () => {
    await clock.advance(1_000);
    return holder.current?.digest === after.digest;
  });
  expect(holder.stale).toBe(false);
});

test('a stream on which nothing is heard for 45 s is given up; without one for as long, there may be news', async () => {
  let asked = 0;
  const mute = createServer((_request, response) => {
    asked++;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    mute.closeAllConnections();
    mute.close();
  });
  const clock = new FakeClock();
  const { port } = mute.address() as AddressInfo;
  const evaluator = await startEvaluator(`http://127.0.0.1:${port}`, { clock });
  await until('the first try', () => asked === 1);
  expect(evaluator.news).toEqual([]);
  await until('the next try', async () => {
    await clock.advance(5_000);
    return asked >= 2;
  });
  expect(evaluator.news).toMatchObject([{ kind: 'Refused', code: 'SLUICE_STREAM_UNREACHABLE' }]);
});

test.each([
  ['is not there', undefined, 80], // 2 % of 4 s
  ['has too much to do', 429, 600], // 2 % of 30 s
])('an operator that %s is looked for by pauses that grow, and no more after a while', async (_, status, longest) => {
  const answers = createServer((_request, response) => void response.writeHead(status ?? 500).end());
  await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void answers.close());
  const { port } = answers.address() as AddressInfo;
  const pauses: number[] = [];
  const hurrying: Clock = {
    now: systemClock.now,
    after: (ms, run) => systemClock.after(ms > 45_000 ? ms : pauses.push(ms) && 0, run),
  };
  const address = status === undefined ? 'http://127.0.0.1:9' : `http://127.0.0.1:${port}`;
  await startEvaluator(address, { clock: hurrying });
  await until('a dozen tries', () => pauses.length >= 12);
  expect(pauses.slice(0, 2)).toEqual([40, 80]);
  expect(Math.max(...pauses)).toBe(longest);
  expect(pauses.at(-1)).toBe(longest);
});
