import type { Clock } from '../base/clock.ts';

/** Why a signal made by `withDeadline` aborted, when time ran out. */
export class DeadlinePassed extends Error {
  readonly deadlineMs: number;

  constructor(deadlineMs: number) {
    super(`not done within ${deadlineMs} ms`);
    this.deadlineMs = deadlineMs;
  }
}

/**
 * Runs `run` with a signal that aborts with `outer` or after `deadlineMs` (reason `DeadlinePassed`). Nothing stays
 * registered on `outer` afterwards: `AbortSignal.any` on a signal that lives as long as the process would gather listeners.
 */
export async function withDeadline<T>(
  clock: Clock,
  outer: AbortSignal,
  deadlineMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const inner = new AbortController();
  const stop = () => inner.abort(outer.reason);
  outer.addEventListener('abort', stop, { once: true });
  const cancel = clock.after(deadlineMs, () => inner.abort(new DeadlinePassed(deadlineMs)));
  try {
    return await run(inner.signal);
  } finally {
    cancel();
    outer.removeEventListener('abort', stop);
  }
}

/** Answers whether `work` settled within `ms`; it goes on either way. */
export function settlesWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve(false));
    const done = () => {
      cancel();
      resolve(true);
    };
    work.then(done, done);
  });
}
