import { type Clock, sleep } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { DurationMs } from '../../base/units.ts';
import { mutatingWebhookConfigurations } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyOf } from '../../kube/resource.ts';
import { rolloutsResource } from './sources.ts';

const LOOK_MS = 1_000;
/** Rollouts that are named where some are left. */
const NAMED = 3;

export interface UninstallPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of the MutatingWebhookConfiguration. */
  readonly gate: string;
}

/**
 * Deletes every Rollout and waits until the running operator has restored what it steers, then takes the gate away: a gate
 * without an operator would refuse every change of a gated Deployment. Throws SLUICE_UNINSTALL_TIMEOUT.
 */
export async function uninstall(
  { client, clock, logger, gate }: UninstallPorts,
  timeoutMs: DurationMs,
  signal: AbortSignal,
): Promise<void> {
  const end = clock.now() + timeoutMs;
  for (;;) {
    const { items } = await client.list(rolloutsResource, {}, { signal });
    if (items.length === 0) break;
    const named = items.slice(0, NAMED).map(({ metadata }) => keyOf(metadata));
    if (clock.now() >= end) {
      const more = items.length > NAMED ? ` and ${items.length - NAMED} more` : '';
      const message = `${items.length} Rollouts are still there: ${named.join(', ')}${more}`;
      throw new SluiceError('SLUICE_UNINSTALL_TIMEOUT', message);
    }
    for (const { metadata } of items.filter((item) => item.metadata.deletionTimestamp === undefined))
      await client.delete(rolloutsResource, metadata, {
        signal,
        preconditions: { uid: metadata.uid },
        propagation: 'Background',
      });
    logger.info({ left: items.length, rollouts: named }, 'Rollouts are being restored and removed');
    await sleep(clock, LOOK_MS, signal);
  }
  await client.delete(mutatingWebhookConfigurations, { name: gate }, { signal });
  logger.info({}, 'the gate is gone; nothing of Sluice steers traffic any more');
}
