/**
 * The ids that were used last, at most `capacity` (≥ 1) of them; the one that was not used for longest is forgotten first.
 * A ring of numbered places in order of use: the order of a Set would need an entry deleted and added again at each use,
 * and stepping over the deleted ones to find the oldest.
 */
export class RecentIds {
  readonly #places = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #older: Uint32Array;
  readonly #newer: Uint32Array;
  readonly #capacity: number;
  #newest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#older = new Uint32Array(capacity);
    this.#newer = new Uint32Array(capacity);
  }

  get size(): number {
    return this.#ids.length;
  }

  /** Whether the id is known; it counts as used now. */
  has(id: string): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    this.#use(place);
    return true;
  }

  add(id: string): void {
    if (this.has(id)) return;
    const place = this.#placeForOne();
    this.#ids[place] = id;
    this.#places.set(id, place);
  }

  /** A place that is the newest: a fresh one, or that of the oldest id. */
  #placeForOne(): number {
    const count = this.#ids.length;
    if (count < this.#capacity) {
      if (count > 0) this.#insertBeforeOldest(count);
      this.#newest = count;
      return count;
    }
    const oldest = this.#newer[this.#newest] as number; // the ring closes: after the newest comes the oldest
    this.#places.delete(this.#ids[oldest] as string);
    this.#newest = oldest;
    return oldest;
  }

  #use(place: number): void {
    if (place === this.#newest) return;
    if (place !== this.#newer[this.#newest]) {
      const older = this.#older[place] as number;
      const newer = this.#newer[place] as number;
      this.#newer[older] = newer;
      this.#older[newer] = older;
      this.#insertBeforeOldest(place);
    }
    this.#newest = place; // the oldest of the ring is made its newest by turning the ring
  }

  #insertBeforeOldest(place: number): void {
    const oldest = this.#newer[this.#newest] as number;
    this.#newer[this.#newest] = place;
    this.#older[place] = this.#newest;
    this.#newer[place] = oldest;
    this.#older[oldest] = place;
  }
}
