import type { RolloutSpec } from '../../api/rollout.ts';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Deployment } from '../../kube/builtins.ts';
import type { KubeClient, WriteOptions } from '../../kube/client.ts';
import type { Gathered } from './gather.ts';
import type { RolloutMemory } from './memory.ts';
import type { Sources } from './sources.ts';

/** What is not for safety gives up after this, so that a slow API server cannot hold up the next decision. */
export const ORDINARY_DEADLINE_MS = 2_000;

/** What every write needs: the world, what was judged, and what stops it. */
export interface WriteContext {
  readonly client: KubeClient;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: RolloutMemory;
  readonly gathered: Gathered;
  readonly signal: AbortSignal;
}

export const options = ({ signal }: WriteContext): WriteOptions => ({ signal, deadlineMs: ORDINARY_DEADLINE_MS });

export const refOf = ({ gathered: { rollout } }: WriteContext, name: string) => ({
  namespace: rollout.metadata.namespace,
  name,
});

/** The spec that the decision was made with. */
export function specOf({ gathered: { observed } }: WriteContext): RolloutSpec {
  if (!observed.spec) throw new SluiceError('SLUICE_INTERNAL', 'a write was decided without a spec');
  return observed.spec;
}

export function deploymentOf({ gathered: { deployment } }: WriteContext): Deployment {
  if (!deployment) throw new SluiceError('SLUICE_INTERNAL', 'a write was decided without a Deployment');
  return deployment;
}
