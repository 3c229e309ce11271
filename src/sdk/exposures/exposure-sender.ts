import type { Clock } from '../../base/clock.ts';
import { retryAfterMs } from '../../base/retry-after.ts';
import type { DurationMs } from '../../base/units.ts';
import { boundedBody } from '../bounded-body.ts';

/** What became of a batch. Refused: the evaluator will never take it as it is. */
export type SendResult =
  | { readonly kind: 'Taken'; readonly rejected: number }
  | { readonly kind: 'Refused' }
  | { readonly kind: 'Failed'; readonly retryAfterMs: DurationMs | undefined };

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

const DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 1_048_576;
/** About the batch itself. Others may have other causes (a wrong address, a proxy, a missing right) and are tried again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

/** Sends one batch. Never rejects; a signal that aborts is a failure. The request outlives the page that made it. */
export async function sendExposures(target: Target, body: string, outer: AbortSignal): Promise<SendResult> {
  const stop = new AbortController();
  const leave = () => stop.abort();
  const cancel = target.clock.after(DEADLINE_MS, leave);
  outer.addEventListener('abort', leave, { once: true });
  try {
    outer.throwIfAborted();
    const response = await target.fetch(target.url, {
      method: 'POST',
      headers: { ...target.headers, 'content-type': 'application/json' },
      body,
      keepalive: true,
      credentials: 'omit',
      redirect: 'error', // headers may hold a key, which is for this evaluator only
      signal: stop.signal,
    });
    return await resultOf(response, target.clock);
  } catch {
    return { kind: 'Failed', retryAfterMs: undefined };
  } finally {
    cancel();
    outer.removeEventListener('abort', leave);
  }
}

async function resultOf(response: Response, clock: Clock): Promise<SendResult> {
  const { ok, status, headers } = response;
  const text = await boundedBody(response, MAX_ANSWER_BYTES).catch(() => ''); // the status has said what counts
  if (ok) return { kind: 'Taken', rejected: rejectedIn(text) };
  if (REFUSALS.has(status)) return { kind: 'Refused' };
  return { kind: 'Failed', retryAfterMs: retryAfterMs(headers.get('retry-after') ?? undefined, clock.now()) };
}

/** How many items the evaluator did not take. */
function rejectedIn(text: string): number {
  try {
    const { errors } = JSON.parse(text);
    return Array.isArray(errors) ? errors.length : 0;
  } catch {
    return 0;
  }
}
