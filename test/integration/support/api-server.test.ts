import { AppsV1Api, AuthorizationV1Api, CoreV1Api } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { ControlPlane } from '../../support/control-plane.ts';

test('the shared API server stores a namespace and reads it back', async () => {
  const name = await makeNamespace('stored');
  const read = await kubeConfig().makeApiClient(CoreV1Api).readNamespace({ name });
  expect(read.status?.phase).toBe('Active');
});

test('the shared API server guards with RBAC: a stranger may do nothing', async () => {
  const review = await kubeConfig()
    .makeApiClient(AuthorizationV1Api)
    .createSubjectAccessReview({
      body: { spec: { user: 'stranger', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } } },
    });
  expect(review.status?.allowed).toBe(false);
});

test('an own control plane survives a crash of its API server, and its controllers act', async ({ signal }) => {
  const plane = await ControlPlane.start(signal);
  onTestFinished(() => plane.stop());
  const config = kubeConfig(plane.kubeconfigPath);
  const namespace = await makeNamespace('kept', config);

  await plane.stopApiServer();
  await expect(config.makeApiClient(CoreV1Api).readNamespace({ name: namespace })).rejects.toThrow();
  await plane.startApiServer(signal);
  const read = await config.makeApiClient(CoreV1Api).readNamespace({ name: namespace });
  expect(read.metadata?.name).toBe(namespace);

  plane.startControllerManager();
  const apps = config.makeApiClient(AppsV1Api);
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'none.invalid/web:1' }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'web' }, spec } });
  const sets = await waitFor(
    async () => {
      const { items } = await apps.listNamespacedReplicaSet({ namespace });
      return items[0]?.status?.replicas === 2 && items;
    },
    { what: 'a ReplicaSet with two pods', timeoutMs: 30_000, signal },
  );
  expect(sets).toHaveLength(1);
});
