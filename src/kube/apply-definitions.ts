import { type Clock, sleep } from '../base/clock.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, Resource } from './resource.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** A CustomResourceDefinition, as far as it is looked at here. */
export type Definition = KubeObject & {
  readonly spec?: unknown;
  readonly status?: { readonly conditions?: readonly Condition[] };
};

const definitions: Resource<Definition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

const LOOK_AGAIN_MS = 200;

/**
 * Makes these definitions, or replaces the whole spec of those that are there, and waits until all are established. A merge
 * would keep fields that the new version left out. Ends only when they are, or `signal` aborts.
 */
export async function applyDefinitions(
  { client, clock }: { readonly client: KubeClient; readonly clock: Clock },
  wanted: readonly Definition[],
  signal: AbortSignal,
): Promise<void> {
  for (const definition of wanted) await put(client, definition, signal);
  for (const { metadata } of wanted) {
    while (!isEstablished(await client.get(definitions, metadata, { signal })))
      await sleep(clock, LOOK_AGAIN_MS, signal);
  }
}

async function put(client: KubeClient, definition: Definition, signal: AbortSignal): Promise<void> {
  const { name } = definition.metadata;
  const found = await client.get(definitions, { name }, { signal });
  if (found === undefined) {
    await client.create(definitions, definition, { signal });
    return;
  }
  const patch = { json: [{ op: 'replace', path: '/spec', value: definition.spec }] } as const;
  await client.patch(definitions, { name }, patch, { signal, repeatable: true });
}

const isEstablished = (definition: Definition | undefined): boolean =>
  definition?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
