import { expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { applyShop, removeShop } from '../../../hack/demo/install.ts';
import { field, kubectl } from '../../../hack/demo/kube.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createClient } from '../../../src/kube/create-client.ts';
import { clusterConfig } from '../../support/cluster.ts';
import { ensureSluice } from '../../support/sluice-install.ts';

test('the demo begins anew, whatever an earlier one left: here a release in the middle', async ({
  signal,
  onTestFinished,
}) => {
  const ports = { logger: silent, clock: systemClock, random: seededRandom(1) };
  const client = createClient(clusterConfig(), { ...ports, userAgent: 'sluice-test' });
  onTestFinished(() => client.close(0));
  const { shop } = await ensureSluice(client);
  const rollout = ['-n', 'shop', 'rollouts.sluice.dev', 'shop'];
  onTestFinished(removeShop);
  await applyShop(shop, signal);
  const first = await field(rollout, '.metadata.uid');
  await kubectl(['-n', 'shop', 'set', 'env', 'deployment/shop', 'VERSION=v2']);
  const isInFlight = async () => (await field(rollout, '.status.inFlight.hash')) !== '';
  await waitFor(isInFlight, { what: 'v2 being in flight', timeoutMs: 60_000, signal });

  await applyShop(shop, signal);
  expect(await field(rollout, '.metadata.uid')).not.toBe(first);
  expect(await field(rollout, '.status.phase')).toBe('Healthy');
  expect(await field(rollout, '.status.inFlight')).toBe('');
});
