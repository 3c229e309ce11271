import { SluiceError } from '../base/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { apiVersionOf, OBJECT_NAME, pathOf } from '../kube/resource.ts';
import { type FlagObject, featureFlags, flagStatusOf, keyOfFlag } from './flag-object.ts';

/** What looking needs of a client. */
export type FlagReader = Pick<KubeClient, 'get' | 'raw'>;

export interface FlagPage {
  readonly items: readonly FlagObject[];
  /** Where the next page begins; undefined on the last one. The API server keeps it for some minutes. */
  readonly next: string | undefined;
}

export interface PageOptions {
  /** All namespaces when left out. */
  readonly namespace?: string | undefined;
  /** Flags at most. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly from?: string | undefined;
}

/** A flag with its history may take half a MiB, so pages are short. */
const PAGE_SIZE = 100;

/** One page of FeatureFlags, in the API server's order: by namespace and name. A shorter one where flags are large. */
export async function flagPage(client: FlagReader, options: PageOptions, signal: AbortSignal): Promise<FlagPage> {
  for (let { limit } = options; ; limit = Math.ceil(limit / 2)) {
    try {
      return await pageOf(client, { ...options, limit }, signal);
    } catch (error) {
      const isTooLarge = error instanceof SluiceError && error.code === 'SLUICE_KUBE_TOO_LARGE';
      if (!isTooLarge || limit === 1) throw error;
    }
  }
}

async function pageOf(
  client: FlagReader,
  { namespace, limit, from }: PageOptions,
  signal: AbortSignal,
): Promise<FlagPage> {
  const path = pathOf(featureFlags, { namespace });
  const page = (await client.raw({ method: 'GET', path, query: { limit, continue: from } }, { signal })) as {
    metadata: { continue?: string };
    items: FlagObject[] | null;
  };
  const apiVersion = apiVersionOf(featureFlags);
  // Items of a list carry neither.
  const items = (page.items ?? []).map((item) => ({ ...item, apiVersion, kind: featureFlags.kind }));
  return { items, next: page.metadata.continue || undefined };
}

/**
 * The flag of a key, else of a name; of two with one key the older, which is the one that is served. Undefined where there is
 * none. Needs the right to get; where the name is not the key, or the flag is not accepted, also to list.
 */
export async function findFlag(
  client: FlagReader,
  namespace: string,
  key: string,
  signal: AbortSignal,
): Promise<FlagObject | undefined> {
  const named = OBJECT_NAME.test(key)
    ? await client.get(featureFlags, { namespace, name: key }, { signal })
    : undefined;
  // One that is accepted is the one that its key means: no other need be looked at.
  if (named && keyOfFlag(named) === key && isAccepted(named)) return named;
  let oldest: FlagObject | undefined;
  for await (const flag of flagsOf(client, namespace, signal)) {
    if (keyOfFlag(flag) === key && (!oldest || ageOf(flag) < ageOf(oldest))) oldest = flag;
  }
  return oldest ?? named;
}

async function* flagsOf(client: FlagReader, namespace: string, signal: AbortSignal): AsyncGenerator<FlagObject> {
  let from: string | undefined;
  do {
    const page = await flagPage(client, { namespace, limit: PAGE_SIZE, from }, signal);
    yield* page.items;
    from = page.next;
  } while (from !== undefined);
}

const ageOf = ({ metadata }: FlagObject): string => `${metadata.creationTimestamp} ${metadata.uid}`;

const isAccepted = (flag: FlagObject): boolean =>
  flagStatusOf(flag).conditions.some(({ type, status }) => type === 'Accepted' && status === 'True');
