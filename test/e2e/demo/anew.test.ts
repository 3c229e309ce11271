import { expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { applyShop, removeShop } from '../../../hack/demo/install.ts';
import { field, kubectl } from '../../../hack/demo/kube.ts';
import { clusterConfig } from '../../support/cluster.ts';
import { makeClient } from '../../support/kube-client.ts';
import { ensureSluice } from '../../support/sluice-install.ts';

test('the demo begins anew, whatever an earlier one left: here a release in the middle', async ({
  signal,
  onTestFinished,
}) => {
  const { shop } = await ensureSluice(makeClient(clusterConfig()));
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
