import type { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { waitFor } from '../../hack/cluster/wait.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import { admitFlag } from '../../src/controllers/feature-flag/admit.ts';
import type { FlagSources } from '../../src/controllers/feature-flag/sources.ts';
import { issueServingCertificate } from '../../src/kube/certificates.ts';
import { WebhookServer } from '../../src/kube/webhook-server.ts';
import { kubeConfig } from './api-server.ts';
import { flagObject } from './flag-objects.ts';
import { find, render } from './helm.ts';
import type { Manifest } from './manifests.ts';
import { apply, rawApi } from './raw-api.ts';

/** A certificate for servers of tests on 127.0.0.1. */
export const loopbackCertificate = () =>
  issueServingCertificate({
    hosts: ['127.0.0.1'],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });

/** The chart's webhook for flags with the operator's handler behind it, in force in one namespace until the test ends. */
export async function startFlagWebhook(
  { sources }: { readonly sources: FlagSources },
  namespace: string,
  signal: AbortSignal,
  config: KubeConfig = kubeConfig(),
): Promise<WebhookServer> {
  const issued = loopbackCertificate();
  const routes = { '/flags': admitFlag(sources, systemClock) };
  const server = new WebhookServer({ clock: systemClock, logger: silent }, { host: '127.0.0.1', port: 0, routes });
  await server.start(issued);
  onTestFinished(() => server.stop(0));
  const gate = find(await render('', signal), 'MutatingWebhookConfiguration', 'sluice-gate');
  const hook = gate.webhooks.find(({ name }: Manifest) => name === 'flags.sluice.dev');
  const caBundle = Buffer.from(issued.ca).toString('base64');
  hook.clientConfig = { url: `https://127.0.0.1:${server.port}/flags`, caBundle };
  hook.namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/flags-${namespace}`;
  const answer = await apply(config, path, { ...gate, metadata: { name: `flags-${namespace}` }, webhooks: [hook] });
  if (answer.status >= 300) throw new Error(answer.body.message);
  onTestFinished(async () => void (await rawApi(config, 'DELETE', path)));
  const inForce = async () => (await put(config, namespace, 'probe', { offVariant: 'of' })).status === 422;
  await waitFor(inForce, { what: 'the webhook being in force', timeoutMs: 30_000, everyMs: 100, signal });
  return server;
}

function put(config: KubeConfig, namespace: string, name: string, spec: Manifest) {
  const { metadata: _, ...flag } = flagObject(name, spec) as Manifest;
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/${name}`;
  return apply(config, path, { ...flag, metadata: { name } });
}
