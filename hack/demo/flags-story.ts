// Runs inside the cluster's network: flags-story.ts OPERATOR_IMAGE SHOP_IMAGE [FIGURES_FILE]. KUBECONFIG names the cluster.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import { featureFlagsResource } from '../../src/controllers/feature-flag/sources.ts';
import { deployments } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createClient } from '../../src/kube/create-client.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { waitFor } from '../cluster/wait.ts';
import { exampleFlags, flagShop } from './flag-shop.ts';
import { FlagWatch } from './flag-watch.ts';
import { type FlagFigures, flagSummary } from './flags-summary.ts';
import { installChart, OPERATOR_NAMESPACE, removeShop } from './install.ts';
import { field, kubectl } from './kube.ts';
import { tell } from './tell.ts';
import { View } from './view.ts';

const [operatorImage = '', shopImage = '', figuresFile] = process.argv.slice(2);
const CHECKOUT = 'one-page-checkout';
const RECOMMENDATIONS = 'recommendations';
const CHANGES = 5;
const OPERATOR = { namespace: OPERATOR_NAMESPACE, name: 'sluice-operator' };

const view = new View();

await tell(story);

async function story(signal: AbortSignal): Promise<number> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const ports = { clock: systemClock, random: Math.random, logger: silent };
  const client = createClient(config, { ...ports, userAgent: 'sluice-demo' });
  const onChange = (
    pod: string,
    flag: string,
    { value, revision }: { value: unknown; revision?: string | undefined },
  ) => view.note(`${pod}  ${flag} = ${JSON.stringify(value)}  (ruleset ${revision ?? '–'})`);
  const watch = new FlagWatch({ client, namespace: 'shop', flags: [CHECKOUT, RECOMMENDATIONS], user: 'ann', onChange });
  const ended = () => void watch.stop();
  signal.addEventListener('abort', ended, { once: true });
  try {
    await begin(watch, signal);
    const figures = { ...(await changes(client, watch, signal)), ...(await withoutOperator(client, watch, signal)) };
    const { asked, unanswered } = watch;
    const { text, good } = flagSummary({ ...figures, asked, unanswered });
    view.title('What was measured');
    console.log(text);
    if (figuresFile !== undefined) writeFileSync(figuresFile, JSON.stringify({ ...figures, asked, unanswered }));
    return good ? 0 : 1;
  } finally {
    signal.removeEventListener('abort', ended);
    await watch.stop();
    await client.close();
  }
}

async function begin(watch: FlagWatch, signal: AbortSignal): Promise<void> {
  view.title('Sluice, a shop, and its flags');
  view.note('installing the chart with Helm');
  await installChart(operatorImage);
  view.note(
    'removing what an earlier demo left, and applying the example flags and the shop with the label sluice.dev/inject: "true"',
  );
  await removeShop();
  await kubectl(
    ['apply', '-f', '-'],
    readFileSync(join(repositoryDir, 'examples/shop/manifests/namespace.yaml'), 'utf8'),
  );
  await apply([...exampleFlags('shop'), flagShop('shop', shopImage, 2)]);
  signal.throwIfAborted();
  await watch.start();
  await watch.all(CHECKOUT, 2, ({ value, stale }) => value === false && !stale);
}

/** One word in a flag, again and again; then a kill switch. */
async function changes(client: KubeClient, watch: FlagWatch, signal: AbortSignal) {
  view.title('The same two pods, while the flag changes');
  const changeMs: number[] = [];
  for (let count = 0; count < CHANGES; count++) {
    const on = count % 2 === 0;
    const spec = { defaultVariant: on ? 'on' : 'off' };
    changeMs.push(await timed(watch, 2, CHECKOUT, on, () => write(client, CHECKOUT, spec, signal)));
  }
  view.title('A kill switch');
  const killMs = await timed(watch, 2, RECOMMENDATIONS, false, () =>
    write(client, RECOMMENDATIONS, { killSwitch: true }, signal),
  );
  const followed = async () => {
    const propagation = await field(['-n', 'shop', 'slf', RECOMMENDATIONS], '.status.propagation');
    return /"acknowledged":2,.*"total":2/.test(propagation) && propagation;
  };
  const what = { what: 'both pods having said so', timeoutMs: 60_000, everyMs: 500, signal };
  view.note(`status.propagation ${await waitFor(followed, what)}`);
  return { changeMs, killMs };
}

/** Milliseconds from before a write until the slowest pod answers by it. */
async function timed(
  watch: FlagWatch,
  pods: number,
  flag: string,
  value: unknown,
  change: () => Promise<unknown>,
): Promise<number> {
  const begun = systemClock.now();
  await change();
  const since = await watch.all(flag, pods, (answer) => answer.value === value);
  return Math.max(...since.values()) - begun;
}

/** No operator at all: pods start, a flag is changed, and all of it comes right. */
async function withoutOperator(
  client: KubeClient,
  watch: FlagWatch,
  signal: AbortSignal,
): Promise<Pick<FlagFigures, 'startedWithout' | 'scaleUpMs' | 'backMs'>> {
  view.title('Every operator is killed, and the shop scaled to four pods');
  await kubectl(['-n', OPERATOR.namespace, 'scale', 'deployment', OPERATOR.name, '--replicas=0']);
  const selector = 'app.kubernetes.io/component=operator';
  await kubectl(['-n', OPERATOR.namespace, 'delete', 'pods', '-l', selector, '--grace-period=0', '--force']);
  const gone = async () =>
    (await field(['-n', OPERATOR.namespace, 'pods', '-l', selector], '.items[*].metadata.name')) === '';
  await waitFor(gone, { what: 'no operator being there', timeoutMs: 60_000, signal });
  const scaled = systemClock.now();
  await client.patch(
    deployments,
    { namespace: 'shop', name: 'shop' },
    { merge: { spec: { replicas: 4 } } },
    { signal },
  );
  const since = await watch.all(CHECKOUT, 4, ({ value }) => value === true);
  const scaleUpMs = systemClock.now() - scaled;
  const startedWithout = [...since.keys()].filter((pod) => watch.answer(pod, CHECKOUT)?.stale).length;

  view.title('The flag is changed, and then the operator comes back');
  await write(client, CHECKOUT, { defaultVariant: 'off' }, signal);
  await kubectl(['-n', OPERATOR.namespace, 'scale', 'deployment', OPERATOR.name, '--replicas=2']);
  const ready = async () => (await client.get(deployments, OPERATOR, { signal }))?.status?.readyReplicas;
  await waitFor(ready, { what: 'an operator being ready', timeoutMs: 120_000, signal });
  const back = systemClock.now();
  const answered = await watch.all(CHECKOUT, 4, ({ value, stale }) => value === false && !stale);
  return { startedWithout, scaleUpMs, backMs: Math.max(0, Math.max(...answered.values()) - back) };
}

function write(client: KubeClient, name: string, spec: object, signal: AbortSignal): Promise<unknown> {
  return client.patch(featureFlagsResource, { namespace: 'shop', name }, { merge: { spec } }, { signal });
}

function apply(items: readonly object[]): Promise<string> {
  return kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}
