import { expect, test } from 'vitest';
import { encodeRolloutStatus } from '../../../../src/api/parse.ts';
import { rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import { aimHelpers } from '../../../../src/controllers/rollout/write-services.ts';
import { KubeError } from '../../../../src/kube/kube-error.ts';
import { RolloutNamespace } from '../../../support/rollout-namespace.ts';

const AT = '2026-11-01T09:59:50Z';
const retreat = { reason: 'Breach', message: 'too many errors', at: AT };

/** Makes the helpers anew where a policy lets no Service be made. */
function aimedWhereForbidden(more: object): Promise<void> {
  const status = rolloutStatusSchema.parse({
    stable: { hash: 'v1', since: AT },
    inFlight: {
      ...{ hash: 'v2', stableHash: 'v1', generation: 2, startedAt: AT, steps: [{ weight: 25 }], step: 0 },
      ...{ stage: 'Lowering', stageSince: AT, weightBp: 0, ...more },
    },
  });
  const namespace = new RolloutNamespace();
  namespace.addRollout(
    'catalog',
    { service: 'catalog', routes: ['public'], pinService: true },
    encodeRolloutStatus(status),
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
