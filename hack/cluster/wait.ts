import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Named in the error when the time is over. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks `probe` until it answers something else than `undefined` or false, and answers that. A probe that throws is
 * asked again; its last error is part of the message when the time is over.
 */
export async function waitFor<T>(probe: () => Promise<T | undefined | false>, options: WaitOptions): Promise<T> {
  const endMs = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) break;
    // Cut short by the signal, whose own reason the next round throws.
    await delay(options.everyMs ?? 100, undefined, { signal: options.signal }).catch(() => {});
  }
  const why = last instanceof Error ? `: ${last.message}` : '';
  throw new Error(`${options.what} did not happen within ${options.timeoutMs / 1000} s${why}`, { cause: last });
}
