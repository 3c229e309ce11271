import { expect, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { act } from '../../../src/cli/act.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fullRollout, type Manifest } from '../../support/manifests.ts';
import { holdingStatus } from '../../support/rollout-status.ts';

/** Asks for an abort of a Rollout, after which the API server tells these events and then nothing. */
function abort(status: Manifest, events: readonly Manifest[], timeoutMs: number) {
  const rollout = { ...fullRollout(), metadata: { name: 'catalog', namespace: 'shop', resourceVersion: '1' }, status };
  const client = {
    get: async () => rollout,
    raw: () => Promise.reject(new SluiceError('SLUICE_KUBE_DENIED', 'does not tell')),
    patch: async () => rollout,
    watch: async function* (_: unknown, { signal }: { signal: AbortSignal }) {
      yield* events.map(({ type }) => ({ type, object: rollout }));
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    },
  };
  const connection = { client: client as unknown as KubeClient, namespace: 'shop', user: 'anna' };
  const asked = { name: 'catalog', action: 'abort', timeoutMs, warn: () => {} } as const;
  return act(connection, new FakeClock(), asked, AbortSignal.timeout(10_000));
}

test('a Rollout that is deleted meanwhile is told as such, at once', async () => {
  const answer = abort(holdingStatus(), [{ type: 'DELETED' }], 60_000);
  await expect(answer).rejects.toThrow('SLUICE_CLI_NO_ROLLOUT: catalog was deleted before the operator took up abort');
});

test('an abort that waits for a pod of stable does not send anybody to look for the operator', async () => {
  const message = 'abort was asked; stable has no ready pod and the canary has, so traffic stays';
  const held = { ...holdingStatus(), reason: 'NoStableToReturnTo', message };
  await expect(abort(held, [{ type: 'MODIFIED' }], 50)).rejects.toThrow(
    `SLUICE_CLI_ABORT_HELD: catalog is not taken back yet: ${message}`,
  );
});

test('an operator that does nothing is told as such', async () => {
  await expect(abort(holdingStatus(), [], 50)).rejects.toThrow('SLUICE_CLI_NOT_CONSUMED');
});
