import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RedisSettings } from '../../../src/rulesets/redis-link.ts';
import { type SealedRuleset, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { RealRedis } from '../../support/redis.ts';
import { TestInstallation, TestReplica, TOKEN } from '../../support/replicas.ts';
import { contentOf, sealedWith, type TestEvaluator, until } from '../../support/stream.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Replicas `operator-0` and so on, the first of which leads. */
async function start(count: number, redis: RealRedis, settings: RedisSettings = { url: redis.url }) {
  const installation = new TestInstallation();
  const replicas: TestReplica[] = [];
  for (let index = 0; index < count; index++)
    replicas.push(await new TestReplica(installation, `operator-${index}`, settings).start());
  const [leader = replicas[0] as TestReplica, ...others] = replicas;
  leader.lead();
  await installation.until('Redis', () => replicas.every(({ shared }) => shared.redis?.isUp === true));
  return { installation, leader, others, replicas };
}

const run = (evaluators: readonly TestEvaluator[], revision: number) =>
  until(`revision ${revision}`, () => evaluators.every((one) => one.running()?.revision === revision));

const rulesetKey = async (redis: RealRedis): Promise<string> => (await redis.admin.keys('test:*:ruleset:*'))[0] ?? '';

test('rulesets reach the evaluators of all replicas by Redis alone', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others, replicas } = await start(3, redis);
  for (const one of others) one.isDeaf = true;
  installation.publish(leader, installation.sealed(1));
  const evaluators = await Promise.all(
    replicas.map(({ address }, index) => installation.evaluator(address, `pod-${index}`)),
  );
  await run(evaluators, 1);
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  expect(evaluators.flatMap(({ news }) => news.map(({ kind }) => kind))).not.toContain('Refused');
});

test('who listens and who said what are counted together, whichever replica heard it', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, replicas } = await start(3, redis);
  installation.publish(leader, installation.sealed(1));
  // Each connection comes to the next replica, as a Service would have it.
  let next = 0;
  const service = await TcpProxy.start(() => replicas[next++ % replicas.length]!.port);
  const address = `https://127.0.0.1:${service.port}`;
  const names = Array.from({ length: 12 }, (_, index) => `pod-${index}`);
  const evaluators = await Promise.all(names.map((name) => installation.evaluator(address, name)));
  await run(evaluators, 1);
  for (const { service: one } of replicas) expect(one.subscribers).toBeGreaterThan(0);
  evaluators[5]!.evaluated.add('checkout');
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  const reach = () => leader.leads!.reach('shop');
  await installation.until('all acknowledgements', () => reach()?.running.filter((one) => one === 2).length === 12);
  expect(reach()!.running).toHaveLength(12);
  expect(reach()!.seconds.get(2)).toHaveLength(12);
  expect([...reach()!.evaluatedAt.keys()]).toEqual(['checkout']);
  expect(leader.reported).toContain('shop');

  // One that ends is counted no more, wherever its stream was.
  await evaluators[1]!.stop();
  await installation.until('eleven', () => reach()?.running.length === 11);
});

test('a change of the leader ends no stream, and the next one soon knows what all replicas know', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others, replicas } = await start(2, redis);
  const next = others[0]!;
  installation.publish(leader, installation.sealed(1));
  const evaluators = await Promise.all(
    replicas.map(({ address }, index) => installation.evaluator(address, `pod-${index}`)),
  );
  await run(evaluators, 1);
  leader.follow();
  next.lead();
  expect(next.leads!.reach('shop')).toBeUndefined();
  installation.publish(next, installation.sealed(2));
  await run(evaluators, 2);
  await installation.until('both', () => next.leads!.reach('shop')?.running.filter((one) => one === 2).length === 2);
  expect(replicas.map(({ service }) => service.subscribers)).toEqual([1, 1]);
  expect(evaluators.flatMap(({ news }) => news).filter(({ kind }) => kind === 'Ruleset')).toHaveLength(4);

  // The former leader stops: its evaluator comes to the other, and is counted once.
  await leader.stop();
  const moved = await installation.evaluator(next.address, 'pod-0');
  await run([moved], 2);
  await installation.until('two again', () => next.leads!.reach('shop')?.running.join() === '2,2');
});

test('acknowledgements of who may not read a flag set count nowhere', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others } = await start(2, redis);
  installation.publish(leader, installation.sealed(1));
  const edge = { ...installation.sealed(1).ruleset, flagSetId: 'edge' };
  installation.publish(leader, sealRuleset(edge, installation.key));
  const post = async (flagSetId: string) => {
    const { digest } = installation.sealed(1);
    const about = { schema: 'sluice.acknowledgement/v1', flagSetId, subscriber: 'pod-1', revision: 1, digest };
    const body = JSON.stringify({ ...about, state: 'Running', evaluated: ['checkout'] });
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    return installation.ask(`${others[0]!.address}/acks`, { method: 'POST', body, headers });
  };
  expect(await post('shop')).toBe(204);
  expect(await post('edge')).toBe(403);
});

test('what was damaged in Redis is refused, taken out and written anew', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others } = await start(2, redis);
  const follower = others[0]!;
  const first = installation.sealed(1);
  installation.publish(leader, first);
  const evaluator = await installation.evaluator(follower.address, 'pod-1');
  await run([evaluator], 1);
  follower.isDeaf = true;
  const key = await rulesetKey(redis);
  const forged = sealedWith(900); // nobody's signature
  const [foreign, old] = [contentOf(forged), contentOf(first)];
  for (const content of ['AAAA', contentOf({ ...installation.sealed(901), digest: forged.digest }), foreign, old]) {
    await redis.admin.hset(key, { revision: 900, digest: forged.digest, content });
    await installation.until('its end', async () => (await redis.admin.hget(key, 'revision')) === '1');
  }
  expect(follower.lines.concat(leader.lines).filter((line) => line.includes('SLUICE_REDIS_DAMAGED'))).not.toEqual([]);
  expect(evaluator.running()?.revision).toBe(1);
  installation.publish(leader, installation.sealed(2));
  await run([evaluator], 2);

  const picture = key.replace('ruleset', 'picture');
  for (const name of [key, picture, `${picture}:at`]) await redis.admin.set(name, 'of another kind');
  await installation.until('the ruleset', async () => (await redis.admin.type(key)) === 'hash');
  await installation.until('the pictures', async () => (await redis.admin.hlen(picture).catch(() => 0)) === 2);
  await redis.admin.hset(picture, 'operator-1', 'no gzip');
  await installation.until('the count', () => leader.leads!.reach('shop')?.running.join() === '2');
});

test('everything in Redis ends by itself, and a namespace that comes anew begins with its own first ruleset', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others, replicas } = await start(2, redis);
  installation.publish(leader, installation.sealed(57));
  const evaluator = await installation.evaluator(others[0]!.address, 'pod-1');
  await run([evaluator], 57);
  await installation.until('the pictures', async () => (await redis.admin.keys('test:*:picture:*')).length === 2);
  for (const key of await redis.admin.keys('*')) expect(await redis.admin.pttl(key)).toBeGreaterThan(0);
  await evaluator.stop();
  installation.remove(leader, 'shop');
  await until('the end', async () => (await redis.admin.keys('test:*:ruleset:*')).length === 0);
  installation.publish(leader, installation.sealed(1));
  const fresh = await Promise.all(
    replicas.map(({ address }, index) => installation.evaluator(address, `new-${index}`)),
  );
  await run(fresh, 1);
});

/** Made so many seconds later under the numbers of a namespace that was made anew. */
function anewAfter({ key }: TestInstallation, { ruleset }: SealedRuleset, revision: number): SealedRuleset {
  const issuedAt = new Date(Date.parse(ruleset.issuedAt) + 1_000 * revision).toISOString();
  return sealRuleset({ ...ruleset, revision, issuedAt }, key);
}

test('where numbers start lower, the ConfigMap alone tells replicas so while there is no Redis', async () => {
  const installation = new TestInstallation();
  const nowhere = { url: 'redis://127.0.0.1:1' };
  const leader = (await new TestReplica(installation, 'operator-0', nowhere).start()).lead();
  const follower = await new TestReplica(installation, 'operator-1', nowhere).start();
  const before = installation.sealed(37);
  installation.publish(leader, before);
  const evaluator = await installation.evaluator(follower.address, 'pod-1');
  await run([evaluator], 37);
  installation.publish(leader, anewAfter(installation, before, 1));
  await run([evaluator], 1);
});

test('where numbers start lower, all replicas give what was made later, and none goes back to what Redis still has', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, others, replicas } = await start(2, redis);
  const follower = others[0]!;
  const before = installation.sealed(37);
  installation.publish(leader, before);
  const evaluators = await Promise.all(
    replicas.map(({ address }, index) => installation.evaluator(address, `pod-${index}`)),
  );
  await run(evaluators, 37);
  // The namespace was deleted and made anew, and no replica saw it without a ruleset.
  follower.isDeaf = true;
  installation.publish(leader, anewAfter(installation, before, 1));
  await run(evaluators, 1);
  installation.publish(leader, anewAfter(installation, before, 2));
  await run(evaluators, 2);
  const key = await rulesetKey(redis);
  await redis.admin.hset(key, { revision: 37, digest: before.digest, content: contentOf(before) });
  await installation.until('its end', async () => (await redis.admin.hget(key, 'revision')) === '2');
  const given = ({ news }: TestEvaluator) =>
    news.flatMap((one) => (one.kind === 'Ruleset' ? [one.snapshot.ruleset.revision] : []));
  expect(evaluators.map(given)).toEqual([
    [37, 1, 2],
    [37, 1, 2],
  ]);
  const reach = () => leader.leads!.reach('shop')?.running.join();
  await installation.until('the count', () => reach() === '2,2');
});

test('the rights that docs/operations.md names are enough for a user of its own', async () => {
  const redis = await RealRedis.start();
  const [, rights = ''] = /`(~sluice:[^`]*)`/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  const rules = rights.replaceAll('sluice:', 'test:').split(/\s+/);
  await redis.admin.call('ACL', 'SETUSER', 'sluice', 'on', '>a-word', ...rules);
  const url = redis.url.replace('://', '://sluice@');
  const settings = { url, passwordFile: redis.file('password', 'a-word') };
  const { installation, leader, others } = await start(2, redis, settings);
  others[0]!.isDeaf = true;
  installation.publish(leader, installation.sealed(1));
  const evaluator = await installation.evaluator(others[0]!.address, 'pod-1');
  await run([evaluator], 1);
  await installation.until('the count', () => leader.leads!.reach('shop')?.running.join() === '1');
  installation.remove(leader, 'shop');
  await until('the end', async () => (await redis.admin.keys('test:*:ruleset:*')).length === 0);
  expect(leader.lines.concat(others[0]!.lines).filter((line) => line.includes('SLUICE_REDIS'))).toEqual([]);
});
