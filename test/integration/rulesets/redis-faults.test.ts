import { expect, test } from 'vitest';
import { RealRedis } from '../../support/redis.ts';
import { TestInstallation, TestReplica, TOKEN } from '../../support/replicas.ts';
import { type TestEvaluator, until } from '../../support/stream.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Two replicas with an evaluator each; both run revision 1, and the leader knows it. */
async function start(url: string) {
  const installation = new TestInstallation();
  const leader = await new TestReplica(installation, 'operator-0', { url }).start();
  const follower = await new TestReplica(installation, 'operator-1', { url }).start();
  leader.lead();
  const replicas = [leader, follower];
  const areUp = () => replicas.every(({ shared }) => shared.redis?.isUp === true);
  await installation.until('Redis', areUp);
  installation.publish(leader, installation.sealed(1));
  const evaluators = await Promise.all(
    replicas.map(({ address }, index) => installation.evaluator(address, `pod-${index}`)),
  );
  await run(evaluators, 1);
  const reach = () => leader.leads?.reach('shop')?.running.join();
  await installation.until('both', () => reach() === '1,1');
  return { installation, leader, follower, replicas, evaluators, areUp, reach };
}

const run = (evaluators: readonly TestEvaluator[], revision: number) =>
  until(`revision ${revision}`, () => evaluators.every((one) => one.running()?.revision === revision));

/** That no evaluator was told anything twice, or had to come back. */
function expectNoBreak(evaluators: readonly TestEvaluator[], revisions: number): void {
  for (const { news } of evaluators) {
    expect(news.filter(({ kind }) => kind === 'Ruleset')).toHaveLength(revisions);
    expect(news.map(({ kind }) => kind)).not.toContain('Refused');
  }
}

test('a Redis that is killed costs no stream and no kill switch, and the leader takes no part for the whole', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, replicas, evaluators, areUp, reach } = await start(redis.url);
  await redis.kill();
  const isLost = (line: string) => line.includes('SLUICE_REDIS_UNREACHABLE');
  await until('the loss, told', () =>
    replicas.every(({ shared, lines }) => shared.redis?.isUp === false && lines.some(isLost)),
  );
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  await installation.until('the own one', () => reach() === '2,1');
  await installation.clock.advance(120_000);
  expect(reach()).toBe('2,1');
  expectNoBreak(evaluators, 2);

  await redis.restart();
  await installation.until('Redis', areUp);
  await installation.until('both', () => reach() === '2,2');
  installation.publish(leader, installation.sealed(3));
  await run(evaluators, 3);
  await installation.until('both', () => reach() === '3,3');
  expectNoBreak(evaluators, 3);
  const isBack = (line: string) => line.startsWith('Redis is back');
  await until('the return, told', () => replicas.every(({ lines }) => lines.some(isBack)));
  for (const { lines } of replicas) {
    expect(lines.filter(isLost).length).toBeLessThanOrEqual(3);
    expect(lines.filter(isBack)).toHaveLength(1);
  }
});

test('a leader that begins while Redis is away tells nothing of the evaluators of others', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, follower, evaluators, areUp } = await start(redis.url);
  await redis.kill();
  leader.follow();
  follower.lead();
  installation.publish(follower, installation.sealed(2));
  await run(evaluators, 2);
  await installation.clock.advance(120_000);
  const reach = () => follower.leads?.reach('shop')?.running.join();
  expect(reach()).not.toBe('2');
  await redis.restart();
  await installation.until('Redis', areUp);
  await installation.until('both', () => reach() === '2,2');
});

test('a Redis that has forgotten everything is told everything again, and nobody is lost from the count', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, follower, evaluators, reach } = await start(redis.url);
  const counts = new Set<string | undefined>();
  follower.isDeaf = true;
  await redis.admin.flushall();
  await installation.until('everything', async () => {
    counts.add(reach());
    return (await redis.admin.keys('*')).length === 3;
  });
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  await installation.until('both', () => {
    counts.add(reach());
    return reach() === '2,2';
  });
  expect([...counts].every((one) => one?.split(',').length === 2)).toBe(true);
  expectNoBreak(evaluators, 2);
});

test('a Redis that answers nothing holds nobody up, and is given up', async () => {
  const redis = await RealRedis.start();
  const network = await TcpProxy.start(() => redis.port);
  const { installation, leader, replicas, evaluators, areUp, reach } = await start(`redis://127.0.0.1:${network.port}`);
  network.set('hang');
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  await installation.until('the loss', () => replicas.every(({ shared }) => shared.redis?.isUp === false));
  network.set('refuse');
  installation.publish(leader, installation.sealed(3));
  await run(evaluators, 3);
  network.set('pass');
  await installation.until('Redis', areUp);
  await installation.until('both', () => reach() === '3,3');
  expectNoBreak(evaluators, 3);
});

test('a Redis that stands still and goes on later is caught up with', async () => {
  const redis = await RealRedis.start();
  const { installation, leader, evaluators, areUp, reach } = await start(redis.url);
  redis.freeze();
  installation.publish(leader, installation.sealed(2));
  await run(evaluators, 2);
  redis.thaw();
  await installation.until('Redis', areUp);
  await installation.until('both', () => reach() === '2,2');
  expectNoBreak(evaluators, 2);
});

test('a leader of before that is late overwrites nothing newer', async () => {
  const redis = await RealRedis.start();
  const network = await TcpProxy.start(() => redis.port);
  const installation = new TestInstallation();
  const url = `redis://127.0.0.1:${network.port}`;
  const late = (await new TestReplica(installation, 'operator-0', { url }).start()).lead();
  const next = await new TestReplica(installation, 'operator-1', { url: redis.url }).start();
  const areUp = () => [late, next].every(({ shared }) => shared.redis?.isUp === true);
  await installation.until('Redis', areUp);
  installation.publish(late, installation.sealed(1));
  const revision = async () => redis.admin.hget((await redis.admin.keys('test:*:ruleset:*'))[0] ?? '', 'revision');
  await until('revision 1', async () => (await revision()) === '1');
  network.set('refuse');
  late.isDeaf = true;
  installation.publish(next.lead(), installation.sealed(2));
  await until('revision 2', async () => (await revision()) === '2');
  network.set('pass');
  await installation.until('the late one', () => late.lines.some((line) => line.includes('a newer ruleset')));
  expect(await revision()).toBe('2');
  late.follow();
  await installation.until('what it missed', () => late.shared.hub?.newest('shop')?.revision === 2);
});

test('who hears neither API server nor Redis sends its evaluators to others', async () => {
  const redis = await RealRedis.start();
  const network = await TcpProxy.start(() => redis.port);
  const installation = new TestInstallation();
  const leader = (await new TestReplica(installation, 'operator-0', { url: redis.url }).start()).lead();
  const url = `redis://127.0.0.1:${network.port}`;
  const lost = await new TestReplica(installation, 'operator-1', { url }).start();
  installation.publish(leader, installation.sealed(1));
  let isFirst = true;
  const service = await TcpProxy.start(() => {
    const { port } = isFirst ? lost : leader;
    isFirst = false;
    return port;
  });
  await installation.until('Redis', () => lost.shared.redis?.isUp === true);
  const evaluator = await installation.evaluator(`https://127.0.0.1:${service.port}`, 'pod-1');
  await run([evaluator], 1);
  expect(lost.service.subscribers).toBe(1);

  network.set('refuse');
  lost.isDeaf = true;
  lost.silentForMs = 15_001;
  installation.publish(leader, installation.sealed(2));
  await installation.clock.advance(1_000);
  await run([evaluator], 2);
  expect(leader.service.subscribers).toBe(1);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const ask = () => installation.ask(`${lost.address}/rulesets/shop?subscriber=pod-2`, { headers });
  expect(await ask()).toBe(503);

  lost.isDeaf = false;
  lost.silentForMs = 0;
  lost.hear('shop');
  const back = await installation.evaluator(lost.address, 'pod-2');
  await run([back], 2);
});
