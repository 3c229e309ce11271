import type { Clock } from '../base/clock.ts';
import type { Code } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { after, type DurationMs, type EpochMs } from '../base/units.ts';
import { type CompiledRuleset, compileRuleset } from '../core/evaluation/compile.ts';
import { isOlder, type Made, madeOf } from './order.ts';
import type { News, Snapshot } from './source.ts';

/** The ruleset that answers now. */
export interface HeldRuleset {
  readonly compiled: CompiledRuleset;
  readonly digest: string;
  /** The sealed ruleset as JSON in gzip. */
  readonly bytes: Uint8Array;
}

export interface HolderOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The only flag set whose rulesets are taken; default: that of the first one. */
  readonly flagSetId?: string | undefined;
  /** Whether a ruleset of another flag set takes the place of the one that is held, as files may name another namespace; default: no. */
  readonly changesFlagSet?: boolean | undefined;
  /** After so long without word that nothing is newer, what is held has expired; default: never. */
  readonly expiresAfterMs?: DurationMs | undefined;
}

/** Timers of Node end at once when they are set for longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Holds one ruleset, compiled, and swaps it for the next one whole. Tells its listeners when answers may have changed:
 * at a swap, and at each time boundary. Whoever evaluates takes `current` once, so that a request sees one revision.
 */
export class RulesetHolder {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #flagSetId: string | undefined;
  readonly #changesFlagSet: boolean;
  readonly #expiresAfterMs: DurationMs | undefined;
  readonly #startedAt: EpochMs;
  readonly #listeners = new Set<(held: HeldRuleset) => void>();
  readonly #refusals = new Map<Code, number>();
  #current: HeldRuleset | undefined;
  #made: Made | undefined;
  /** Where numbers started lower: when the first of them was made. What was made before is of the numbers before. */
  #lowerSince: EpochMs | undefined;
  #newsAt: EpochMs | undefined;
  #stale = false;
  /** Whether the newest that there is was not taken here: its source may hold it for what answers. */
  #isNewestRefused = false;
  #told = '';
  #cancelTimer: (() => void) | undefined;

  constructor({ clock, logger, flagSetId, changesFlagSet = false, expiresAfterMs }: HolderOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#flagSetId = flagSetId;
    this.#changesFlagSet = changesFlagSet;
    this.#expiresAfterMs = expiresAfterMs;
    this.#startedAt = clock.now();
  }

  /** Undefined until the first ruleset. */
  get current(): HeldRuleset | undefined {
    return this.#current;
  }

  /** Whether there may be a newer ruleset than the one that is held. */
  get stale(): boolean {
    return this.#stale;
  }

  /** When it was last known that nothing newer exists. */
  get newsAt(): EpochMs | undefined {
    return this.#newsAt;
  }

  /** Whether nobody has said for too long that nothing is newer. What was kept from before counts from the start. */
  get expired(): boolean {
    if (this.#expiresAfterMs === undefined) return false;
    return this.#clock.now() > after(this.#newsAt ?? this.#startedAt, this.#expiresAfterMs);
  }

  /** How often something was refused since the start, by code. */
  get refusals(): ReadonlyMap<Code, number> {
    return this.#refusals;
  }

  /** Calls `changed` whenever answers may have changed; answers a function that ends it. */
  subscribe(changed: (held: HeldRuleset) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Takes in what a source says. Synchronous: no request sees half a swap. */
  take(news: News): void {
    switch (news.kind) {
      case 'Ruleset':
        this.#offer(news.snapshot, news.live);
        return;
      case 'Refused':
        this.#stale = true;
        this.#refusals.set(news.code, (this.#refusals.get(news.code) ?? 0) + 1);
        this.#logger.error({ code: news.code, revision: this.#current?.compiled.revision }, news.message);
        return;
      case 'Confirmed':
        if (!this.#isNewestRefused) this.#confirm();
        return;
    }
  }

  /** Ends the timer of the next time boundary. */
  stop(): void {
    this.#cancelTimer?.();
    this.#listeners.clear();
  }

  #offer({ ruleset, digest, bytes }: Snapshot, live: boolean): void {
    const { flagSetId } = ruleset;
    const held = this.#current;
    const expected = this.#flagSetId ?? (this.#changesFlagSet ? undefined : held?.compiled.flagSetId) ?? flagSetId;
    if (flagSetId !== expected) {
      if (live) this.#isNewestRefused = true;
      const message = `a ruleset of the flag set ${flagSetId} came to an evaluator of ${expected}`;
      this.take({ kind: 'Refused', code: 'SLUICE_RULESET_INVALID', message });
      return;
    }
    if (held?.digest !== digest) {
      const made = madeOf(ruleset);
      if (this.#isLate(made, live)) return;
      if (this.#made && made.revision <= this.#made.revision) this.#lowerSince = made.issuedAt;
      this.#made = made;
      this.#swap({ compiled: compileRuleset(ruleset), digest, bytes });
    }
    if (live) {
      this.#isNewestRefused = false;
      this.#confirm();
    } else if (held === undefined) this.#stale = true;
  }

  /** Whether this is from before what is held. Numbers go back only for what is made later, and only by who makes rulesets. */
  #isLate(made: Made, live: boolean): boolean {
    if (this.#made === undefined) return false;
    if (this.#lowerSince !== undefined && made.issuedAt < this.#lowerSince) return true;
    return isOlder(made, this.#made) || (!live && made.revision <= this.#made.revision);
  }

  #confirm(): void {
    this.#newsAt = this.#clock.now();
    this.#stale = false;
  }

  #swap(next: HeldRuleset): void {
    this.#current = next;
    const { flagSetId, revision, flags, problems } = next.compiled;
    this.#logger.info({ flagSetId, revision, digest: next.digest, flags: flags.size }, 'answers by this ruleset');
    for (const problem of problems.slice(0, 10)) this.#logger.warn(problem, 'a part of a flag never matches');
    this.#tell();
    this.#awaitBoundary();
  }

  #tell(): void {
    const held = this.#current;
    if (!held) return;
    this.#told = configTag(held, this.#clock.now());
    for (const listener of this.#listeners) listener(held);
  }

  #awaitBoundary(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const held = this.#current;
    if (!held) return;
    const now = this.#clock.now();
    const next = held.compiled.timeBoundariesMs[boundariesPassed(held.compiled, now)];
    if (next === undefined) return;
    this.#cancelTimer = this.#clock.after(Math.min(next - now, MAX_TIMER_MS), () => {
      // A timer may be early by a millisecond, or be one of several for a boundary far away.
      if (configTag(held, this.#clock.now()) !== this.#told) this.#tell();
      this.#awaitBoundary();
    });
  }
}

/** How many time boundaries lie at or before `nowMs`. */
export function boundariesPassed({ timeBoundariesMs }: CompiledRuleset, nowMs: number): number {
  let low = 0;
  let high = timeBoundariesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeBoundariesMs[middle] as number) <= nowMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same as long as the same context gets the same answers. */
export function configTag({ compiled, digest }: HeldRuleset, nowMs: number): string {
  return `${digest.slice('sha256:'.length, 'sha256:'.length + 32)}.${boundariesPassed(compiled, nowMs)}`;
}
