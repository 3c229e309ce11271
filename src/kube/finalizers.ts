import type { CallOptions, KubeClient } from './client.ts';
import type { JsonPatch } from './json-patch.ts';
import { isNotFound } from './kube-error.ts';
import type { KubeObject, Resource } from './resource.ts';

/** Makes sure that `object` carries the finalizer, and answers the object as it then is. Fails with SLUICE_KUBE_PATCH_TEST when its finalizers changed meanwhile. */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  options: CallOptions,
): Promise<T> {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer)) return object;
  const json = exchange(object, [...finalizers, finalizer]);
  return client.patch(resource, object.metadata, { json }, options);
}

/** Makes sure that the finalizer is gone; that the object is gone with it is success. Fails as `addFinalizer` does. */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  options: CallOptions,
): Promise<void> {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) return;
  const left = finalizers.filter((name) => name !== finalizer);
  try {
    await client.patch(resource, object.metadata, { json: exchange(object, left) }, options);
  } catch (error) {
    if (!(isNotFound(error) && error.aboutObject)) throw error;
  }
}

/** Tested by uid and by the list that we saw, so that other writers of the object do not get in the way. */
function exchange({ metadata }: KubeObject, finalizers: readonly string[]): JsonPatch {
  return [
    { op: 'test', path: '/metadata/uid', value: metadata.uid },
    { op: 'test', path: '/metadata/finalizers', value: metadata.finalizers ?? null }, // null also says "not there"
    { op: 'add', path: '/metadata/finalizers', value: finalizers },
  ];
}
