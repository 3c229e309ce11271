import { SluiceError } from '../base/errors.ts';

declare const shape: unique symbol;

/** How the API server names a resource type. `group` is '' for the core group. `T` is the JSON form of its objects. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries `T` for the compiler only; never set. */
  readonly [shape]?: T;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `metadata` as it stands in JSON: times are RFC 3339 strings. */
interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque: compare for equality only. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly managedFields?: readonly object[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Which object: `namespace` is left out for cluster-scoped resources. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of caches and queues. */
export type ObjectKey = string;

export const keyOf = ({ namespace, name }: ObjectRef): ObjectKey => (namespace ? `${namespace}/${name}` : name);

export function refOf(key: ObjectKey): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `group/version`, or `version` for the core group. */
export const apiVersionOf = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);

/** What the API server takes for the name of almost every object (a DNS subdomain). */
export const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** What a path of `pathOf` is about: the plural, with the subresource if there is one: `rollouts/status`. */
export function resourceOf(path: string): string {
  const [, root, ...parts] = path.split('/');
  const rest = parts.slice(root === 'api' ? 1 : 2);
  const [plural = '', , subresource] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  return subresource === undefined ? plural : `${plural}/${subresource}`;
}

/** URL path of a collection (no `name`), an object, or one of its subresources. Every part is percent-encoded. An empty name is none. */
export function pathOf(resource: Resource, where: Partial<ObjectRef> = {}, subresource?: string): string {
  const parts = [resource.group === '' ? 'api' : 'apis', ...apiVersionOf(resource).split('/')];
  if (where.namespace) parts.push('namespaces', where.namespace);
  parts.push(resource.plural);
  if (where.name === '') throw new SluiceError('SLUICE_KUBE_REFUSED', `the name of a ${resource.kind} is empty`);
  if (where.name !== undefined) parts.push(where.name);
  if (subresource) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
