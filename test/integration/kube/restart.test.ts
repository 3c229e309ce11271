import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { configMaps } from '../../../src/kube/builtins.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { ControlPlane } from '../../support/control-plane.ts';
import { makeClient } from '../../support/kube-client.ts';

test('an informer outlives a crash of the API server: nothing is told twice and what comes after is seen', async ({
  signal,
}) => {
  const plane = await ControlPlane.start(signal);
  onTestFinished(() => plane.stop());
  const config = kubeConfig(plane.kubeconfigPath);
  const client = makeClient(config);
  const namespace = await makeNamespace('crash', config);
  const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });
  await client.create(configMaps, map('before'), { signal });
  const ports = { client, clock: systemClock, random: seededRandom(2), logger: silent };
  const informer = new Informer(ports, { resource: configMaps, namespace });
  onTestFinished(() => informer.stop());
  const story: string[] = [];
  informer.onChange((change) => story.push(`${change.type} ${'after' in change ? change.after.metadata.name : '-'}`));
  informer.start();
  await informer.synced;
  await plane.restartApiServer(signal);
  await client.create(configMaps, map('after'), { signal });
  const seen = async () => informer.cache.get({ namespace, name: 'after' }) !== undefined;
  await waitFor(seen, { what: 'the new object', timeoutMs: 30_000, everyMs: 20, signal });
  expect(story).toEqual(['added before', 'added after']);
});
