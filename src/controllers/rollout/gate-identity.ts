import { SluiceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { KubeClient } from '../../kube/client.ts';
import { whoAmI } from '../../kube/who-am-i.ts';

const DEADLINE_MS = 5_000;

/**
 * Says in the log, with the code SLUICE_OPERATOR_USER, when this process is not the user whose writes the gate lets pass, as
 * with an administrator's kubeconfig: then the gate holds the operator's own resuming of a Deployment. Never stops a start.
 */
export async function warnOfForeignUser(
  { client, logger }: { readonly client: Pick<KubeClient, 'raw'>; readonly logger: Logger },
  operatorUser: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const user = await whoAmI(client, { signal, deadlineMs: DEADLINE_MS });
    if (user === undefined || user === operatorUser) return;
    const { code, message } = new SluiceError(
      'SLUICE_OPERATOR_USER',
      `this operator is ${user}, and the gate lets only writes of ${operatorUser} pass: no Deployment will be resumed`,
    );
    logger.error({ code, user, operatorUser }, message);
  } catch (err) {
    if (!signal.aborted) logger.warn({ err }, 'cannot ask who this operator is for the API server');
  }
}
