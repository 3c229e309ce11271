import { type KubeObject, keyOf, type ObjectKey, type ObjectRef } from './resource.ts';

/** The values under which an object is found; computed once, when the object arrives. */
export type IndexBy<T> = (object: T) => readonly string[];

/** What an informer saw. `before` is the object that the cache held until now. */
export type Change<T> =
  | { readonly type: 'added'; readonly after: T }
  | { readonly type: 'updated'; readonly before: T; readonly after: T }
  | { readonly type: 'deleted'; readonly before: T };

/** Reading side of an informer's cache. Objects are shared: never change them. */
export interface CacheReader<T extends KubeObject, Index extends string = never> {
  readonly size: number;
  get(ref: ObjectRef): T | undefined;
  getByKey(key: ObjectKey): T | undefined;
  /** All objects, in no order. */
  list(): Iterable<T>;
  byIndex(index: Index, value: string): readonly T[];
}

/** Objects by key, with indexes. Only the informer writes to it. */
export class Cache<T extends KubeObject, Index extends string = never> implements CacheReader<T, Index> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes: readonly { name: Index; by: IndexBy<T>; entries: Map<string, Set<ObjectKey>> }[];

  constructor(indexes: Readonly<Record<Index, IndexBy<T>>>) {
    this.#indexes = (Object.entries(indexes) as [Index, IndexBy<T>][]).map(([name, by]) => ({
      name,
      by,
      entries: new Map(),
    }));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#objects.get(keyOf(ref));
  }

  getByKey(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): Iterable<T> {
    return this.#objects.values();
  }

  byIndex(index: Index, value: string): readonly T[] {
    const keys = this.#indexes.find(({ name }) => name === index)?.entries.get(value) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Stores the object; `undefined` when the cache already held this very version. */
  put(object: T): Change<T> | undefined {
    const key = keyOf(object.metadata);
    const before = this.#objects.get(key);
    if (before && sameVersion(before, object)) return undefined;
    if (before) this.#unindex(key, before);
    this.#objects.set(key, object);
    this.#index(key, object);
    return before ? { type: 'updated', before, after: object } : { type: 'added', after: object };
  }

  /** Forgets the object; `undefined` when it was not there. */
  remove(key: ObjectKey): Change<T> | undefined {
    const before = this.#objects.get(key);
    if (!before) return undefined;
    this.#unindex(key, before);
    this.#objects.delete(key);
    return { type: 'deleted', before };
  }

  /** Makes the cache equal to a fresh list and answers what differed, deletions first. */
  replaceAll(objects: readonly T[]): readonly Change<T>[] {
    const listed = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    const gone = [...this.#objects.keys()].filter((key) => !listed.has(key));
    return [...gone.map((key) => this.remove(key)), ...objects.map((object) => this.put(object))].filter(
      (change) => change !== undefined,
    );
  }

  #index(key: ObjectKey, object: T): void {
    for (const { by, entries } of this.#indexes) {
      for (const value of by(object)) {
        const keys = entries.get(value);
        if (keys) keys.add(key);
        else entries.set(value, new Set([key]));
      }
    }
  }

  #unindex(key: ObjectKey, object: T): void {
    for (const { by, entries } of this.#indexes) {
      for (const value of by(object)) {
        const keys = entries.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries.delete(value);
      }
    }
  }
}

const sameVersion = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
