import { expect, test } from 'vitest';
import { FlagShop } from '../../support/flag-scenario.ts';

const CHECKOUT = 'one-page-checkout';
const RECOMMENDATIONS = 'recommendations';

test('a change reaches every pod, its status counts them, and so does a kill switch', async (context) => {
  const shop = await FlagShop.begin(context, [CHECKOUT, RECOMMENDATIONS]);
  const { watch } = shop;
  await watch.all(CHECKOUT, 2, ({ value, stale }) => value === false && !stale);
  for (const { spec } of await shop.pods()) {
    const sidecar = spec?.initContainers?.find(({ name }) => name === 'sluice-evaluator');
    const mounted = sidecar?.volumeMounts?.filter(({ mountPath }) => mountPath.includes('kubernetes.io'));
    expect(mounted).toMatchObject([{ name: 'sluice-token' }]); // and not the pod's own right to the API
  }

  await shop.change(CHECKOUT, { defaultVariant: 'on' });
  await watch.all(CHECKOUT, 2, ({ value, stale }) => value === true && !stale);
  await shop.eventually('both having said so', async () => {
    const { propagation } = await shop.status(CHECKOUT);
    return propagation?.total === 2 && propagation.acknowledged === 2 && propagation.p99Seconds !== undefined;
  });

  await shop.change(RECOMMENDATIONS, { killSwitch: true });
  await watch.all(RECOMMENDATIONS, 2, ({ value, reason }) => value === false && reason === 'DISABLED');
  expect(watch.unanswered).toBe(0);
});

test('with no operator at all, pods start, are ready and answer; a flag that is wrong then stops no kill switch', async (context) => {
  const shop = await FlagShop.begin(context, [CHECKOUT]);
  const { watch } = shop;
  // Both are connected: a change is followed among those who are.
  await watch.all(CHECKOUT, 2, ({ value, stale }) => value === false && !stale);
  await shop.change(CHECKOUT, { defaultVariant: 'on' });
  await watch.all(CHECKOUT, 2, ({ value }) => value === true);
  const before = await shop.eventually('both having said so', async () => {
    const { propagation } = await shop.status(CHECKOUT);
    return propagation?.acknowledged === 2 && propagation;
  });
  await shop.killOperators();
  try {
    await shop.scale(4);
    const answering = await watch.all(CHECKOUT, 4, ({ value }) => value === true);
    const stale = [...answering.keys()].filter((pod) => watch.answer(pod, CHECKOUT)?.stale);
    expect(stale.length).toBeGreaterThanOrEqual(2); // at least those that started by the ConfigMap
    await shop.applyBroken('broken');
    await shop.change(CHECKOUT, { killSwitch: true }); // nothing stands between a person and a kill switch
  } finally {
    await shop.bringBack();
  }
  await watch.all(CHECKOUT, 4, ({ value, reason, stale }) => value === false && reason === 'DISABLED' && !stale);
  // Evaluators come back one by one, and all are counted.
  await shop.eventually('all four having said so', async () => {
    const { propagation } = await shop.status(CHECKOUT);
    return propagation?.total === 4 && propagation.acknowledged === 4;
  });
  expect(await shop.condition('broken', 'Accepted')).toMatchObject({ status: 'False', reason: 'Invalid' });
  expect((await shop.status(CHECKOUT)).propagation?.desired).toBe(before.desired + 1);
  expect(watch.unanswered).toBe(0);
});

test('a labelled pod that has no evaluator is told of, by an event and by the flags, until it is gone', async (context) => {
  const shop = await FlagShop.begin(context, [CHECKOUT]);
  await shop.watch.all(CHECKOUT, 2, ({ value }) => value === false);
  expect(await shop.condition(CHECKOUT, 'Injected')).toBeUndefined();
  const lonely = await shop.withoutInjection(async () => {
    await shop.applyOther('lonely');
    return shop.eventually('a pod', async () => (await shop.pods('app=lonely'))[0]);
  });
  expect(lonely.spec).not.toHaveProperty('initContainers');
  await shop.eventually('the flags telling', async () => {
    const injected = await shop.condition(CHECKOUT, 'Injected');
    return injected?.status === 'False' && injected.reason === 'PodsWithoutSidecar';
  });
  await shop.eventually('an event', async () => {
    const told = await shop.kubectl('events', '--for', `pod/${lonely.metadata.name}`);
    return told.includes('SidecarMissing') && told.includes('webhook did not answer');
  });
  // Told by the leader, and who that is may change on a busy machine.
  await shop.eventually('the metric', async () => {
    return (await shop.metric(`sluice_pods_without_sidecar{namespace="${shop.namespace}"}`)) === 1;
  });
  await shop.kubectl('delete', 'deployment', 'lonely', '--cascade=foreground');
  await shop.eventually('all being well', async () => {
    return (await shop.condition(CHECKOUT, 'Injected'))?.status === 'True';
  });
});
