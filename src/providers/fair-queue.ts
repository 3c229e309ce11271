/** A queue that serves its owners in turn, so that one with many entries delays each other one by at most one entry. */
export class FairQueue<T> {
  /** In the order of their turns; no list is empty. */
  readonly #owners = new Map<string, T[]>();

  push(owner: string, entry: T): void {
    const entries = this.#owners.get(owner);
    if (entries) entries.push(entry);
    else this.#owners.set(owner, [entry]);
  }

  /** The first entry of the owner whose turn it is; the owner then goes to the end. */
  shift(): T | undefined {
    for (const [owner, entries] of this.#owners) {
      const entry = entries.shift();
      this.#owners.delete(owner);
      if (entries.length > 0) this.#owners.set(owner, entries);
      return entry;
    }
    return undefined;
  }

  /** Takes out one entry; nothing happens when it is not waiting any more. */
  remove(owner: string, entry: T): void {
    const entries = (this.#owners.get(owner) ?? []).filter((waiting) => waiting !== entry);
    if (entries.length > 0) this.#owners.set(owner, entries);
    else this.#owners.delete(owner);
  }
}
