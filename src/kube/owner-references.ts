import type { KubeObject, OwnerReference } from './resource.ts';

/** A reference to `owner`, which must have been read from the API server (it has a uid). */
export function ownerReference(
  owner: KubeObject,
  { controller, blockOwnerDeletion = false }: { readonly controller: boolean; readonly blockOwnerDeletion?: boolean },
): OwnerReference {
  const { name, uid } = owner.metadata;
  if (!uid) throw new Error(`${owner.kind} ${name} has no uid yet`);
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller, blockOwnerDeletion };
}

/** The one owner that manages the object, if any. */
export const controllerOf = ({ metadata }: KubeObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller);

/** By uid: an owner that was deleted and made again under its name owns nothing. */
export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid;
