import { expect, test } from 'vitest';
import { aimHelpers } from '../../../../src/controllers/rollout/write-services.ts';
import { KubeError } from '../../../../src/kube/kube-error.ts';
import { EARLIER, RolloutNamespace, statusInFlight } from '../../../support/rollout-namespace.ts';

const retreat = { reason: 'Breach', message: 'too many errors', at: EARLIER };

/** Makes the helpers anew where a policy lets no Service be made. */
function aimedWhereForbidden(more: object): Promise<void> {
  const namespace = new RolloutNamespace();
  namespace.addRollout(
    'catalog',
    { service: 'catalog', routes: ['public'], pinService: true },
    statusInFlight({ stage: 'Lowering', weightBp: 0, ...more }),
  );
  namespace.addService('catalog', { app: 'catalog' });
  const context = namespace.writing('catalog');
  const apply = () =>
    Promise.reject(new KubeError('SLUICE_KUBE_REFUSED', 'no more Services', { call: 'PATCH /x', httpStatus: 422 }));
  const write = { kind: 'AimHelpers', stableHash: 'v1', canaryHash: 'v2' } as const;
  return aimHelpers({ ...context, client: { ...context.client, apply } }, write);
}

test('a helper that may not be made stops a rollout on its way up, and never on its way back', async () => {
  await expect(aimedWhereForbidden({})).rejects.toThrow('no more Services');
  await expect(aimedWhereForbidden({ retreat })).resolves.toBeUndefined();
});
