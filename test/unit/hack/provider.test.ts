import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { addonNames, parseAddons } from '../../../hack/cluster/addons.ts';
import { instanceForTests } from '../../../hack/cluster/e2e.ts';
import { instanceNamed, kubeconfigOf } from '../../../hack/cluster/instance.ts';
import { downKind, kindKubeconfig } from '../../../hack/cluster/kind.ts';
import { chooseProvider } from '../../../hack/cluster/provider.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-provider-'));
afterAll(() => rmSync(dir, { recursive: true }));
const standard = instanceNamed();
const engineAt = (name: string) => ({ DOCKER_HOST: `unix://${join(dir, name)}` });

test('an explicit KUBECONFIG is taken, whatever else there is', async () => {
  const chosen = await chooseProvider(standard, { KUBECONFIG: '/some/file', ...engineAt('none') });
  expect(chosen).toEqual({ kind: 'existing', kubeconfig: '/some/file' });
});

test('the KUBECONFIG of our own cluster, as the quickstart exports it, means that cluster and nobody else’s', async () => {
  expect(await chooseProvider(standard, { KUBECONFIG: kubeconfigOf(standard) })).toEqual({ kind: 'local' });
  expect(await chooseProvider(standard, { KUBECONFIG: kindKubeconfig(standard) })).toEqual({ kind: 'kind' });
});

test('an instance by name, such as those of tests and demo, is a local one, whatever else there is', async () => {
  const engine = createServer((_, response) => response.end('OK')).listen(join(dir, 'other-engine'));
  onTestFinished(() => void engine.close());
  await once(engine, 'listening');
  const env = { KUBECONFIG: '/some/file', ...engineAt('other-engine') };
  expect(await chooseProvider(instanceNamed('demo'), env)).toEqual({ kind: 'local' });
});

test('tests use the cluster of an explicit KUBECONFIG, but never the one of our own that somebody works with', () => {
  expect(instanceForTests({ KUBECONFIG: '/some/file' })).toEqual(standard);
  for (const KUBECONFIG of [kubeconfigOf(standard), kindKubeconfig(standard)])
    expect(instanceForTests({ KUBECONFIG }).name).toBe('test');
  expect(instanceForTests({}).name).toBe('test');
});

test('where there is no kind, none of its clusters is left to end', async () => {
  const { PATH } = process.env;
  onTestFinished(() => {
    process.env.PATH = PATH;
  });
  process.env.PATH = dir;
  await downKind(standard, AbortSignal.timeout(10_000));
});

test('without an engine behind the socket the cluster is local', async () => {
  expect(await chooseProvider(standard, engineAt('none'))).toEqual({ kind: 'local' });
});

test('an engine that accepts connections but never answers is none', async () => {
  const deaf = createTcpServer().listen(join(dir, 'deaf'));
  onTestFinished(() => void deaf.close());
  await once(deaf, 'listening');
  expect(await chooseProvider(standard, engineAt('deaf'))).toEqual({ kind: 'local' });
});

test('an engine that answers means kind, unless the local one is asked for', async () => {
  const engine = createServer((_, response) => response.end('OK')).listen(join(dir, 'engine'));
  onTestFinished(() => void engine.close());
  await once(engine, 'listening');
  expect(await chooseProvider(standard, engineAt('engine'))).toEqual({ kind: 'kind' });
  expect(await chooseProvider(standard, { ...engineAt('engine'), SLUICE_PROVIDER: 'local' })).toEqual({
    kind: 'local',
  });
});

test('add-ons are all by default, none on demand, and unknown ones are refused by name', () => {
  expect(parseAddons(undefined)).toEqual(addonNames);
  expect(parseAddons('none')).toEqual([]);
  expect(parseAddons('metrics-server,gateway')).toEqual(['gateway', 'metrics-server']);
  expect(() => parseAddons('gateway,toString')).toThrow('"toString"');
});

test('a name that could not be part of a path is refused', () => {
  expect(() => instanceNamed('../other')).toThrow('no name for an instance');
  expect(instanceNamed('demo').isolated).toBe(true);
  expect(instanceNamed().isolated).toBe(false);
});
