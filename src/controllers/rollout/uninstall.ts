import { type Clock, sleep } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { mutatingWebhookConfigurations } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { rolloutsResource } from './sources.ts';

const LIMIT_MS = 10 * 60_000;
const LOOK_MS = 1_000;

export interface UninstallPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of the MutatingWebhookConfiguration. */
  readonly gate: string;
}

/**
 * Deletes every Rollout and waits until the running operator has restored what it steers, then takes the gate away: a gate
 * without an operator would refuse every change of a gated Deployment.
 */
export async function uninstall({ client, clock, logger, gate }: UninstallPorts, signal: AbortSignal): Promise<void> {
  const end = clock.now() + LIMIT_MS;
  for (;;) {
    const { items } = await client.list(rolloutsResource, {}, { signal });
    if (items.length === 0) break;
    if (clock.now() > end)
      throw new SluiceError(
        'SLUICE_UNINSTALL_TIMEOUT',
        `${items.length} Rollouts are still there, such as ${items[0]?.metadata.namespace}/${items[0]?.metadata.name}`,
      );
    for (const { metadata } of items.filter((item) => item.metadata.deletionTimestamp === undefined))
      await client.delete(rolloutsResource, metadata, {
        signal,
        preconditions: { uid: metadata.uid },
        propagation: 'Background',
      });
    logger.info({ left: items.length }, 'Rollouts are being restored and removed');
    await sleep(clock, LOOK_MS, signal);
  }
  await client.delete(mutatingWebhookConfigurations, { name: gate }, { signal });
  logger.info({}, 'the gate is gone; nothing of Sluice steers traffic any more');
}
