import type { Logger } from '../../base/logger.ts';
import { configMaps } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { SNAPSHOT_NAME } from '../../wire/snapshot.ts';
import { LABELS } from './snapshot-store.ts';

/**
 * Deletes the rulesets of all namespaces, for an uninstall: an operator that runs would write them anew. Whoever evaluates by one
 * goes on with it; a ConfigMap of this name that somebody else made stays.
 */
export async function removeRulesets(
  { client, logger }: { readonly client: Pick<KubeClient, 'list' | 'delete'>; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const selection = {
    fieldSelector: `metadata.name=${SNAPSHOT_NAME}`, // the only name that there is a right for
    labelSelector: Object.entries(LABELS)
      .map(([name, value]) => `${name}=${value}`)
      .join(),
  };
  const { items } = await client.list(configMaps, selection, { signal });
  for (const { metadata } of items)
    await client.delete(configMaps, metadata, { signal, preconditions: { uid: metadata.uid } });
  logger.info({ namespaces: items.length }, 'the rulesets are gone');
}
