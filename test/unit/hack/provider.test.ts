import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { addonNames, parseAddons } from '../../../hack/cluster/addons.ts';
import { instanceNamed } from '../../../hack/cluster/instance.ts';
import { chooseProvider } from '../../../hack/cluster/provider.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-provider-'));
afterAll(() => rmSync(dir, { recursive: true }));
const engineAt = (name: string) => ({ DOCKER_HOST: `unix://${join(dir, name)}` });

test('an explicit KUBECONFIG is taken, whatever else there is', async () => {
  const chosen = await chooseProvider({ KUBECONFIG: '/some/file', ...engineAt('none') });
  expect(chosen).toEqual({ kind: 'existing', kubeconfig: '/some/file' });
});

test('without an engine behind the socket the cluster is local', async () => {
  expect(await chooseProvider(engineAt('none'))).toEqual({ kind: 'local' });
});

test('an engine that accepts connections but never answers is none', async () => {
  const deaf = createTcpServer().listen(join(dir, 'deaf'));
  onTestFinished(() => void deaf.close());
  await once(deaf, 'listening');
  expect(await chooseProvider(engineAt('deaf'))).toEqual({ kind: 'local' });
});

test('an engine that answers means kind, unless the local one is asked for', async () => {
  const engine = createServer((_, response) => response.end('OK')).listen(join(dir, 'engine'));
  onTestFinished(() => void engine.close());
  await once(engine, 'listening');
  expect(await chooseProvider(engineAt('engine'))).toEqual({ kind: 'kind' });
  expect(await chooseProvider({ ...engineAt('engine'), SLUICE_PROVIDER: 'local' })).toEqual({ kind: 'local' });
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
