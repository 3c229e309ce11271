import type { EpochMs } from '../base/units.ts';
import type { Said } from './picture.ts';

/** As many as revisions are measured. */
const MAX_RUNS = 16;
/** Evaluators say something every 5 minutes: who is silent for this long says it elsewhere, or is gone. */
const SILENT_MS = 600_000;

/** What evaluators of one flag set have said here, of at most `max` of them: the one that was silent for longest makes way. */
export class Heard {
  readonly #max: number;
  /** Who spoke last is last. */
  readonly #said = new Map<string, Said>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Answers whether it was news. */
  hear(id: string, revision: number, now: EpochMs): boolean {
    const { running, runs = [] } = this.#said.get(id) ?? {};
    const isNew = revision > (runs.at(-1)?.revision ?? -1);
    this.#said.delete(id);
    const known = isNew ? [...runs, { revision, at: now }].slice(-MAX_RUNS) : runs;
    this.#said.set(id, { at: now, running: revision, runs: known });
    if (this.#said.size > this.#max) this.#said.delete(this.#said.keys().next().value as string);
    return isNew || running !== revision;
  }

  forget(id: string): void {
    this.#said.delete(id);
  }

  clear(): void {
    this.#said.clear();
  }

  /** Drops those who were silent for 10 minutes and do not listen here. */
  said(now: EpochMs, listens: (id: string) => boolean): ReadonlyMap<string, Said> {
    for (const [id, { at }] of this.#said) if (now - at >= SILENT_MS && !listens(id)) this.#said.delete(id);
    return this.#said;
  }
}
