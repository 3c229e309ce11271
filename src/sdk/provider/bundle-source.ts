import type { KeyObject } from 'node:crypto';
import { backoffMs } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { type Code, SluiceError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Ruleset } from '../../wire/ruleset.ts';
import { openRuleset } from '../../wire/sealed-ruleset.ts';
import { type BundleTarget, requestBundle } from './bundle-request.ts';
import { listenForChanges } from './change-stream.ts';

/** What the evaluator has to say. */
export type BundleNews =
  /** One that was checked in everything. */
  | { readonly kind: 'Ruleset'; readonly ruleset: Ruleset; readonly digest: string; readonly isBehind: boolean }
  /** What was told last is still the one. */
  | { readonly kind: 'Same'; readonly isBehind: boolean }
  /** There was something, and it cannot be used; or there was no answer. */
  | { readonly kind: 'Failed'; readonly code: Code; readonly message: string };

export interface BundleSourceOptions extends BundleTarget {
  readonly random: Random;
  readonly pollMs: number;
  /** Trusted keys by their id; undefined: whoever answers at the URL is believed. */
  readonly publicKeys: ReadonlyMap<string, KeyObject> | undefined;
}

const RETRY = { firstMs: 500, maxMs: 30_000 };
/** However often a change is told. */
const MIN_PAUSE_MS = 100;

/**
 * Tells news of the bundle until the signal aborts, then resolves: at once, at each change, and every `pollMs`. `tell` answers
 * whether the ruleset is used now; one that is not is told again.
 */
export async function followBundle(
  options: BundleSourceOptions,
  tell: (news: BundleNews) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, pollMs } = options;
  const changes = new Changes(clock);
  const listening = listenForChanges(options, () => changes.add(), signal);
  let tag: string | undefined;
  for (let failures = 0; !signal.aborted; ) {
    changes.forget();
    const [news, nextTag] = await ask(options, tag, signal);
    if (signal.aborted) break;
    if (tell(news)) tag = nextTag;
    failures = news.kind === 'Failed' ? failures + 1 : 0;
    // A tenth up or down, so that many who began together do not stay together.
    const waitMs = failures > 0 ? Math.min(pollMs, backoffMs(failures, RETRY, random)) : pollMs * (0.9 + random() / 5);
    await sleep(clock, Math.min(MIN_PAUSE_MS, waitMs), signal).catch(() => {});
    await changes.wait(waitMs, signal);
  }
  await listening;
}

/** News with the tag of what they are about. */
async function ask(
  options: BundleSourceOptions,
  tag: string | undefined,
  signal: AbortSignal,
): Promise<[BundleNews, string | undefined]> {
  try {
    const answer = await requestBundle(options, tag, signal);
    if (answer.kind === 'Same') return [answer, tag];
    const opened = openRuleset(answer.document, options.publicKeys);
    if (opened.ok) return [{ ...opened, kind: 'Ruleset', isBehind: answer.isBehind }, answer.tag];
    const [first] = opened.problems;
    const message = `${opened.code}: ${first?.path || 'the ruleset'} ${first?.message}`;
    return [{ kind: 'Failed', code: opened.code, message }, tag];
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : 'SLUICE_INTERNAL';
    return [{ kind: 'Failed', code, message: error instanceof Error ? error.message : String(error) }, tag];
  }
}

/** Remembers that something changed while nobody waited. */
class Changes {
  readonly #clock: Clock;
  #isDue = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  forget(): void {
    this.#isDue = false;
  }

  /** Resolves after `ms`, at a change, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isDue || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
