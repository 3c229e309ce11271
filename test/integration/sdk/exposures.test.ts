import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { Exposures } from '../../../src/sdk/exposures/exposures.ts';
import { experimentSidecar } from '../../support/experiment-sidecar.ts';
import { json, startHttp } from '../../support/hostile-server.ts';
import { providerClient } from '../../support/provider-client.ts';
import { post, until } from '../../support/sidecar.ts';

const units = Array.from({ length: 50 }, (_, index) => `user-${index}`);

/** Tokens as the sidecar gives them in bulk. */
async function tokensOf(url: string): Promise<string[]> {
  const answers = units.map((targetingKey) =>
    post(url, '/ofrep/v1/evaluate/flags', JSON.stringify({ context: { targetingKey } })),
  );
  return (await Promise.all(answers)).map(({ body }) => body.flags[0].metadata.exposureToken);
}

test('evaluations in the process become exposures of the collector, each unit once, by the hook', async () => {
  const { sidecar, collector } = await experimentSidecar();
  const { client, initialised } = providerClient({ url: sidecar.url });
  await initialised;
  const exposures = new Exposures({ url: sidecar.url, gatherMs: 50 });
  client.addHooks(exposures.hook);
  for (const targetingKey of [...units, ...units]) await client.getBooleanValue('checkout', false, { targetingKey });
  await exposures.close();
  expect(exposures.counts).toEqual({ sent: 50, duplicates: 50, rejected: 0, dropped: 0, waiting: 0 });
  await until(() => collector.ids.size === 50);
  const arms = collector.batches.flatMap((batch) => batch.exposures.map(({ arm }) => arm));
  expect(new Set(arms)).toEqual(new Set(['control', 'treatment']));
});

test('the exposures of the SDK are those that the sidecar logs by itself: nothing counts twice', async () => {
  const { sidecar, collector } = await experimentSidecar();
  const ask = (targetingKey: string) =>
    sidecar.post('/ofrep/v1/evaluate/flags/checkout', { context: { targetingKey } });
  await Promise.all(units.map(ask));
  await until(() => collector.ids.size === 50);
  const exposures = new Exposures({ url: sidecar.url });
  for (const token of await tokensOf(sidecar.url)) exposures.record(token);
  await exposures.close();
  expect(exposures.counts).toMatchObject({ sent: 50, dropped: 0 });
  const metrics = await (await fetch(`${sidecar.healthUrl}/metrics`)).text();
  expect(metrics).toMatch(/^sluice_events_duplicate_total\{kind="exposure"\} 50$/m);
});

test('through an evaluator that loses requests and answers, every exposure arrives, under one id', async () => {
  const { sidecar, collector } = await experimentSidecar();
  const tokens = await tokensOf(sidecar.url);
  const bodies: string[] = [];
  // Loses the first request, and the answer to the second.
  const bad = await startHttp(async (response, _, count) => {
    if (count === 1) return void response.destroy();
    const { status, body } = await post(sidecar.url, '/exposures', bodies[count - 1] ?? '');
    if (count === 2) response.destroy();
    else json(response, status, body);
  });
  onTestFinished(() => bad.close());
  const counted: typeof fetch = (url, init) => {
    bodies.push(String(init?.body));
    return fetch(url, init);
  };
  const exposures = new Exposures({ url: bad.url }, { fetch: counted, random: () => 0 });
  for (const token of tokens) exposures.record(token);
  await exposures.flush();
  await until(() => exposures.counts.waiting === 0);
  expect([new Set(bodies).size, exposures.counts.sent]).toEqual([1, 50]);
  await until(() => collector.ids.size === 50);
  await exposures.close();
});

test.each([
  ['that has nothing left to do', 'await new Promise((resolve) => setTimeout(resolve, 1));'],
  [
    'that is told to stop, and closes',
    "process.once('SIGTERM', () => exposures.close().then(() => process.exit(0))); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);",
  ],
])('a process %s has sent what it recorded', async (_, ending) => {
  const { sidecar, collector } = await experimentSidecar();
  const [token] = await tokensOf(sidecar.url);
  const program = `
    import { Exposures } from './src/sdk/exposures/exposures.ts';
    const exposures = new Exposures({ url: '${sidecar.url}', gatherMs: 3_600_000 });
    exposures.record('${token}');
    ${ending}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  expect(await once(child, 'close')).toEqual([0, null]);
  await until(() => collector.ids.size === 1);
});

test('tokens of another namespace, and what is none, are counted as rejected and stop nothing else', async () => {
  const { sidecar, collector } = await experimentSidecar();
  const [token = ''] = await tokensOf(sidecar.url);
  const said = JSON.parse(Buffer.from(token, 'base64url').toString());
  const foreign = Buffer.from(JSON.stringify({ ...said, experiment: 'bank/other' })).toString('base64url');
  const exposures = new Exposures({ url: sidecar.url });
  for (const one of [foreign, 'nonsense', token]) exposures.record(one);
  await exposures.close();
  expect(exposures.counts).toEqual({ sent: 1, duplicates: 0, rejected: 2, dropped: 0, waiting: 0 });
  await until(() => collector.ids.size === 1);
});

test('single evaluations over OFREP carry no token: the sidecar has logged them itself', async () => {
  const { sidecar, collector } = await experimentSidecar();
  const { body } = await sidecar.post('/ofrep/v1/evaluate/flags/checkout', { context: { targetingKey: 'u' } });
  expect(body.metadata).not.toHaveProperty('exposureToken');
  await until(() => collector.ids.size === 1);
});
