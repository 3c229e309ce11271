const FIRST_MS = 1_000;
const MOST_MS = 4_000;

/**
 * How long a try of a safety call waits for an answer before it leaves its connection, which may lead nowhere. It follows what
 * answers took: a server that is slow but alive begins anew with every try, and must be let finish.
 */
export class SafetyPace {
  #tryMs = FIRST_MS;

  /** For the next try, milliseconds. */
  get tryMs(): number {
    return this.#tryMs;
  }

  answered(tookMs: number): void {
    this.#tryMs = Math.min(MOST_MS, Math.max(FIRST_MS, 2 * tookMs));
  }

  /** A try got no answer in time: by a dead connection, or because the time was too short. */
  cut(): void {
    this.#tryMs = Math.min(MOST_MS, 2 * this.#tryMs);
  }
}
