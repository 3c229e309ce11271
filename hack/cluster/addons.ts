import { createHash } from 'node:crypto';
import { ensureClusterImage, imageReference } from '../image/cluster-images.ts';
import type { Addon, AddonContext } from './addon.ts';
import { ensureBinary } from './binaries.ts';
import { installEnvoyGateway } from './envoy-gateway.ts';
import { apply, kubectl, podsReady } from './kubectl.ts';
import { manifest } from './manifest.ts';
import { waitFor } from './wait.ts';

const READY_TIMEOUT_MS = 180_000;

const addons = {
  gateway: { prepare: prepareGateway, install: installEnvoyGateway },
  prometheus: { prepare: loadImages('prometheus'), install: installPrometheus },
  'metrics-server': { prepare: loadImages('metrics-server'), install: installMetricsServer },
} as const satisfies Record<string, Addon>;

export type AddonName = keyof typeof addons;
export const addonNames = Object.keys(addons) as AddonName[];

/** `all` when absent, `none`, or names with commas between them. */
export function parseAddons(list: string | undefined): AddonName[] {
  if (list === undefined || list === 'all') return addonNames;
  const wanted = list === 'none' ? [] : list.split(',');
  const unknown = wanted.find((name) => !Object.hasOwn(addons, name));
  if (unknown !== undefined) throw new Error(`no add-on is called "${unknown}": there are ${addonNames.join(', ')}`);
  return addonNames.filter((name) => wanted.includes(name));
}

/** Installs add-ons, or completes them, and answers when all of them work. */
export async function installAddons(names: readonly AddonName[], context: AddonContext): Promise<void> {
  const installs: Promise<void>[] = [];
  for (const name of names) {
    await addons[name].prepare(context);
    const install = addons[name].install(context);
    install.catch(() => {}); // told below, when the others are prepared
    installs.push(install);
  }
  await Promise.all(installs);
}

function loadImages(...images: Parameters<typeof imageReference>[0][]): Addon['prepare'] {
  return async ({ cluster, signal, report }) => {
    for (const name of images) await cluster.load(await ensureClusterImage(name, signal, report), signal);
  };
}

async function prepareGateway(context: AddonContext): Promise<void> {
  await loadImages('envoy', 'envoy-gateway')(context);
  await ensureBinary('helm', context.signal, context.report);
}

async function installPrometheus({ cluster, startedAfterMs, signal, report }: AddonContext): Promise<void> {
  const values = { IMAGE: imageReference('prometheus'), CONFIG_DIGEST: '' };
  const CONFIG_DIGEST = digest(manifest('prometheus.yaml', values));
  await apply(cluster, manifest('prometheus.yaml', { ...values, CONFIG_DIGEST }), signal);
  report('waiting for Prometheus');
  const wanted = { namespace: 'monitoring', selector: 'app=prometheus', startedAfterMs, timeoutMs: READY_TIMEOUT_MS };
  await podsReady(cluster, wanted, signal);
}

async function installMetricsServer({ cluster, signal, report }: AddonContext): Promise<void> {
  await apply(cluster, manifest('metrics-server.yaml', { IMAGE: imageReference('metrics-server') }), signal);
  report('waiting for metrics-server (up to 30 s: it needs two readings of the node)');
  const measured = async () => (await kubectl(cluster, ['top', 'node', '--no-headers'], signal)) !== '';
  const what = 'metrics-server measuring the node';
  await waitFor(measured, { what, timeoutMs: READY_TIMEOUT_MS, everyMs: 500, signal });
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
