import { expect, test } from 'vitest';
import { OPERATOR_NAMESPACE } from '../../../hack/demo/install.ts';
import { helm } from '../../../hack/demo/kube.ts';
import { CHART } from '../../support/helm.ts';
import { expectNothingLost } from '../../support/nothing-lost.ts';
import { givenShop, inPhase, promotedFrom } from '../../support/rollout-scenario.ts';

const steps = [{ weight: 25, hold: '1s' }, { approve: {} }, { weight: 100, hold: '1s' }];
const release = ['sluice', '--namespace', OPERATOR_NAMESPACE];

test('an upgrade of the chart in the middle replaces the operator, and the rollout goes on', async (context) => {
  const shop = await givenShop(context, { steps, replicas: 2 });
  const { stable } = await shop.status();
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(inPhase('AwaitingApproval'));
  const canary = await shop.podsOf(status.inFlight?.hash);

  const another = ['--reuse-values', '--set', `podAnnotations.upgraded=${shop.namespace}`];
  await helm(['upgrade', ...release, CHART, ...another, '--wait', '--timeout', '4m']);
  expect(shop.weights.seen).toEqual([undefined, 0, 25]);
  await shop.act('approve');
  await shop.reaches(promotedFrom(stable?.hash));
  expect(await shop.podsOf(status.inFlight?.hash)).toEqual(canary);
  expect(await shop.traces()).toEqual([]);
  expectNothingLost(await load.stop());
});

test('uninstalling in the middle gives traffic and objects back first', async (context) => {
  const shop = await givenShop(context, { steps, replicas: 2 });
  const before = await shop.userObjects();
  const { stable } = await shop.status();
  const stablePods = await shop.podsOf(stable?.hash);
  const load = await shop.underLoad();
  await shop.push({ VERSION: 'v2' });
  const { status } = await shop.reaches(inPhase('AwaitingApproval'));

  await helm(['uninstall', ...release, '--wait', '--timeout', '4m']);
  const after = await shop.userObjects();
  expect({ service: after.service, route: after.route }).toEqual({ service: before.service, route: before.route });
  expect(after.deployment.metadata).toEqual(before.deployment.metadata);
  expect(after.deployment.spec.paused).toBe(true);
  expect(await shop.traces()).toEqual([]);
  expect(await shop.podsOf(status.inFlight?.hash)).toEqual([]);
  expect(await shop.podsOf(stable?.hash)).toEqual(stablePods);
  expectNothingLost(await load.stop());
});
