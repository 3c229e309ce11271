import type { Scale } from './builtins.ts';
import type { JsonPatch } from './json-patch.ts';
import type { KubeObject, ObjectRef, Resource } from './resource.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  /** For the whole call with its repetitions; of a list, for each page. Default 10_000. */
  readonly deadlineMs?: number | undefined;
  /**
   * `safety` calls have connections of their own, so they never wait for ordinary traffic, and give a connection that
   * does not answer 1 s before they try another. For lowering traffic and for the lease; nothing else. Default `ordinary`.
   */
  readonly priority?: 'ordinary' | 'safety' | undefined;
}

/** The write goes through only if the object still is this one and at this version; otherwise SLUICE_KUBE_CONFLICT. */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly subresource?: 'status' | 'scale' | undefined;
  readonly dryRun?: boolean | undefined;
  /** Name under which the API server records our fields. Default: the client's. */
  readonly fieldManager?: string | undefined;
  /** Fields that the API server does not know are refused; otherwise it drops them. */
  readonly strict?: boolean | undefined;
}

export interface PatchOptions extends WriteOptions {
  readonly preconditions?: Preconditions | undefined;
  /**
   * Whether sending the patch twice leaves the same object, so that it may be sent again when the connection broke before
   * the answer. Default: true for a merge patch and for any patch with a resourceVersion precondition; else false. A repeated
   * write whose first sending did go through ends as SLUICE_KUBE_CONFLICT: read again.
   */
  readonly repeatable?: boolean | undefined;
}

interface DeleteOptions extends CallOptions {
  readonly preconditions?: Preconditions | undefined;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined;
}

export interface Selection {
  /** One namespace; all when left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** `json` with `test` operations, or `merge` (RFC 7386: lists are replaced whole, null removes). */
export type Patch = { readonly json: JsonPatch } | { readonly merge: object };

export interface ListPage<T> {
  readonly items: readonly T[];
  /** The version of the collection that all pages of one list show; a watch may start from it. */
  readonly resourceVersion: string;
}

export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with leading slash and without query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions extends Selection {
  readonly signal: AbortSignal;
  readonly resourceVersion: string;
}

/**
 * Typed calls to one API server over pooled connections. Fails with `KubeError`, or with the signal's reason.
 * Repeats a call only where that is safe (src/kube/retry.ts), with backoff, within its deadline.
 */
export interface KubeClient {
  /** `undefined` when there is no such object; a resource type that is not installed is an error (SLUICE_KUBE_NOT_FOUND). */
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options: CallOptions): Promise<T | undefined>;
  /** The `scale` subresource; write it with `patch(…, { subresource: 'scale' })`. */
  getScale(resource: Resource, ref: ObjectRef, options: CallOptions): Promise<Scale | undefined>;
  list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    options: CallOptions,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /** The same, page by page (500 objects each), so that a large collection need not be held as it came. */
  pages<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    options: CallOptions,
  ): AsyncIterable<ListPage<T>>;
  /** Ends when the server ends the watch; throws SLUICE_KUBE_EXPIRED when the version is too old to watch from. */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions): Promise<T>;
  /** PUT. `object.metadata.resourceVersion`, when set, is the precondition. */
  replace<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, patch: Patch, options: PatchOptions): Promise<T>;
  /** Server-side apply: `object` holds only the fields we own; `force` takes them from other managers. */
  apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Partial<T> & KubeObject,
    options: WriteOptions & { readonly force: boolean },
  ): Promise<T>;
  /** `false` when there was no such object. */
  delete(resource: Resource, ref: ObjectRef, options: DeleteOptions): Promise<boolean>;
  /** Any other call (reviews, logs, version); JSON answers are parsed, others are a string. */
  raw(request: RawRequest, options: CallOptions): Promise<unknown>;
  /** Closes all connections; calls in flight get `graceMs` to end. */
  close(graceMs?: number): Promise<void>;
}
