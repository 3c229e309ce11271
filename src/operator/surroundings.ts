import type { OperatorConfig } from '../api/operator-config.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { KubeClient } from '../kube/client.ts';

/** What one operator process has from the world; built in `src/operator.ts` alone. */
export interface Surroundings {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: OperatorConfig;
  /** Where the operator runs. */
  readonly namespace: string;
  /** Who this replica is. */
  readonly instance: string;
}
