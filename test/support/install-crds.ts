import type { KubeConfig } from '@kubernetes/client-node';
import { waitFor } from '../../hack/cluster/wait.ts';
import { kubeConfig } from './api-server.ts';
import { type Manifest, manifestsIn } from './manifests.ts';
import { apply, rawApi } from './raw-api.ts';

const ESTABLISHED_TIMEOUT_MS = 30_000;

/** Applies crds/ and answers the definitions once the API server serves them all. May run in many files at once. */
export async function installCrds(signal: AbortSignal, config: KubeConfig = kubeConfig()): Promise<Manifest[]> {
  return Promise.all(manifestsIn('crds').map(([, crd]) => install(config, crd, signal)));
}

async function install(config: KubeConfig, crd: Manifest, signal: AbortSignal): Promise<Manifest> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  const answer = await apply(config, path, crd);
  if (answer.status >= 300) throw new Error(answer.body.message);
  let latest: Manifest;
  const isServed = async () => {
    latest = (await rawApi(config, 'GET', path)).body;
    const { group, names, versions } = crd.spec;
    const listPath = `/apis/${group}/${versions[0].name}/${names.plural}?limit=1`;
    return isTrue(latest, 'Established') && (await rawApi(config, 'GET', listPath)).status === 200;
  };
  await waitFor(isServed, {
    what: `${crd.metadata.name} being served`,
    timeoutMs: ESTABLISHED_TIMEOUT_MS,
    everyMs: 50,
    signal,
  });
  return latest;
}

function isTrue(crd: Manifest, type: string): boolean {
  return crd.status?.conditions?.some((one: Manifest) => one.type === type && one.status === 'True') ?? false;
}
