import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { type HTTPRoute, httpRoutes } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';
import type { Manifest } from './rig.ts';

const CONTROLLER = 'bench.sluice.dev/gateway';

/** Says of every generation of every HTTPRoute that it is accepted, as a gateway controller does when it has taken it in. */
export async function startGateway(client: KubeClient, signal: AbortSignal): Promise<{ stop(): Promise<void> }> {
  const informer = new Informer<HTTPRoute>(
    { client, clock: systemClock, random: Math.random, logger: silent },
    { resource: httpRoutes },
  );
  informer.onChange((change) => {
    if (change.type === 'deleted' || isAccepted(change.after)) return;
    const { metadata } = change.after;
    client
      .patch(
        httpRoutes,
        { namespace: metadata.namespace, name: metadata.name },
        { merge: { status: acceptedStatus(change.after) } },
        { signal, subresource: 'status' },
      )
      .catch(() => {}); // gone, or the rig stops
  });
  informer.start();
  await informer.synced;
  return informer;
}

const isAccepted = ({ metadata, status }: Manifest): boolean =>
  status?.parents?.[0]?.conditions?.every((one: Manifest) => one.observedGeneration === metadata.generation) ?? false;

/** Status with which a gateway answers this generation. */
export function acceptedStatus({ metadata, spec }: Manifest): object {
  const lastTransitionTime = new Date().toISOString();
  const condition = (type: string) => ({
    type,
    status: 'True',
    reason: type,
    message: '',
    observedGeneration: metadata.generation,
    lastTransitionTime,
  });
  const conditions = ['Accepted', 'ResolvedRefs'].map(condition);
  return {
    parents: spec.parentRefs.map((parentRef: object) => ({ controllerName: CONTROLLER, parentRef, conditions })),
  };
}
