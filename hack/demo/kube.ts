import { join } from 'node:path';
import { binaryDir } from '../cluster/binaries.ts';
import { output } from '../cluster/command.ts';
import { waitFor } from '../cluster/wait.ts';

/** Our kubectl, with the cluster that KUBECONFIG names. */
export const kubectl = (args: readonly string[], input?: string): Promise<string> =>
  output(join(binaryDir('k1s'), 'kubectl'), args, input === undefined ? {} : { input });

/** Our Helm, with the same cluster. */
export const helm = (args: readonly string[]): Promise<string> => output(join(binaryDir('helm'), 'helm'), args);

/** One field of an object, by JSONPath; '' where it is not set. */
export const field = (ref: readonly string[], path: string): Promise<string> =>
  kubectl(['get', ...ref, '-o', `jsonpath={${path}}`]);

/** Address of a Service that a selector names, as `host` and `port` 80. */
export async function serviceAddress(
  namespace: string,
  selector: string,
  signal: AbortSignal,
): Promise<{ host: string; port: number }> {
  const find = async () =>
    (await field(['-n', namespace, 'service', '-l', selector], '.items[0].spec.clusterIP')) || undefined;
  return { host: await waitFor(find, { what: `a Service ${selector}`, timeoutMs: 60_000, signal }), port: 80 };
}
