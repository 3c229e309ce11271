// Runs inside the cluster's network: story.ts OPERATOR_IMAGE SHOP_IMAGE [FIGURES_FILE]. KUBECONFIG names the cluster.
import { writeFileSync } from 'node:fs';
import type { RolloutStatus } from '../../src/api/rollout-status.ts';
import { waitFor } from '../cluster/wait.ts';
import { askAs } from '../load/ask-as.ts';
import { type LoadHandle, startLoad } from '../load/load.ts';
import { mixedClients } from '../load/options.ts';
import { applyShop, installChart } from './install.ts';
import { kubectl, serviceAddress } from './kube.ts';
import { type Observer, observe } from './observer.ts';
import { figures, type Rollback, summary } from './summary.ts';
import { tell } from './tell.ts';
import { View } from './view.ts';

const [operatorImage = '', shopImage = '', figuresFile] = process.argv.slice(2);
const HOST = 'shop.example';
const LONGEST_ROLLOUT_MS = 10 * 60_000;

const view = new View();

await tell(story);

async function story(signal: AbortSignal): Promise<number> {
  view.title('Sluice and the shop');
  view.note('installing the chart with Helm');
  await installChart(operatorImage);
  view.note(
    'removing what an earlier demo left, and applying the shop: a Deployment, a Service, an HTTPRoute, two Metrics, a Rollout',
  );
  await applyShop(shopImage, signal);
  const target = await serviceAddress(
    'envoy-gateway-system',
    'gateway.envoyproxy.io/owning-gateway-name=sluice-demo',
    signal,
  );
  const served = async () => (await askAs(HOST, `http://${target.host}:${target.port}/catalog`, signal)).status === 200;
  await waitFor(served, { what: 'the gateway serving the shop', timeoutMs: 60_000, signal });
  const observer = observe('shop', 'shop');
  const load = startLoad({
    target,
    hostHeader: HOST,
    clients: mixedClients,
    onSecond: (second) => view.second(second),
    signal,
  });
  observer.onStatus((status) => view.status(status));
  try {
    return await releases(load, observer, signal);
  } finally {
    await observer.stop();
  }
}

async function releases(load: LoadHandle, observer: Observer, signal: AbortSignal): Promise<number> {
  const until = (what: string, done: (status: RolloutStatus) => boolean) =>
    waitFor(async () => (observer.status() && done(observer.status() as RolloutStatus)) || undefined, {
      what,
      timeoutMs: LONGEST_ROLLOUT_MS,
      signal,
    });
  await until('a first answer of v1', () => load.lastSeen('v1') !== undefined);
  const first = observer.status()?.stable?.hash;

  view.title('v2: shadow, header match, 5, 25, 50, 100 %');
  await kubectl(['-n', 'shop', 'set', 'env', 'deployment/shop', 'VERSION=v2']);
  await until('v2 being promoted', ({ phase, stable }) => phase === 'Healthy' && stable?.hash !== first);

  view.title('v3: answers one request in three with an error, but only under more load than a small share brings');
  await kubectl(['-n', 'shop', 'set', 'env', 'deployment/shop', 'VERSION=v3', 'ERROR_RATE=0.33', 'ERROR_ABOVE_RPS=13']);
  await until('v3 being taken back', ({ phase }) => phase === 'RolledBack');
  const report = await load.stop();
  const status = observer.status();
  const decidedAt = status?.rolledBack?.at;
  const rollback: Rollback | undefined = decidedAt && {
    decidedAt,
    loweredAt: observer.loweredAt(decidedAt),
    lastSent: report.byVersion.v3?.lastSentAt,
    step: status?.transitions.find(({ to }) => to === 'RollingBack')?.message ?? '',
  };
  const { text, good } = summary(report, rollback);
  view.title('What was measured');
  console.log(text);
  if (figuresFile !== undefined) writeFileSync(figuresFile, JSON.stringify(figures(report, rollback)));
  return good ? 0 : 1;
}
