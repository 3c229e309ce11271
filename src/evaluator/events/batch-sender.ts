import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { retryAfterMs } from '../../base/retry-after.ts';
import type { DurationMs } from '../../base/units.ts';
import type { EventBatch } from '../../wire/event-batch.ts';
import type { QueuedEvent } from './queued-event.ts';

/** What became of a batch. Refused: the collector will never take it as it is. */
export type SendResult =
  | { readonly kind: 'Acknowledged' }
  | { readonly kind: 'Refused'; readonly why: string }
  | { readonly kind: 'Failed'; readonly why: string; readonly retryAfterMs: DurationMs | undefined };

export interface BatchSender {
  /** Never rejects; a signal that aborts is a failure. */
  send(events: readonly QueuedEvent[], signal: AbortSignal): Promise<SendResult>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** For one batch: connection, upload, and the collector's own writes. */
const DEADLINE_MS = 10_000;
/** Of an answer nothing is read but its status; a longer body costs the connection. */
const MAX_ANSWER_BYTES = 16_384;
/** About the batch itself. Others may have other causes (a wrong address, a proxy, a missing right) and are tried again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

/** Posts batches to `events` below the address of the collector. Redirects are not followed. */
export function createBatchSender(collector: URL, clock: Clock): BatchSender {
  const url = new URL('events', collector.href.endsWith('/') ? collector.href : `${collector.href}/`);
  // Our deadline covers undici's own timers.
  const agent = new Agent({ connections: 1, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: DEADLINE_MS } });
  return {
    send: (events, signal) => send({ agent, url, clock }, batchOf(events), signal),
    close: () => agent.destroy(),
  };
}

interface Connection {
  readonly agent: Agent;
  readonly url: URL;
  readonly clock: Clock;
}

async function send({ agent, url, clock }: Connection, batch: EventBatch, outer: AbortSignal): Promise<SendResult> {
  const stop = new AbortController();
  const leave = () => stop.abort(outer.reason);
  const cancel = clock.after(DEADLINE_MS, () => stop.abort(new Error(`no answer within ${DEADLINE_MS} ms`)));
  outer.addEventListener('abort', leave, { once: true });
  try {
    outer.throwIfAborted();
    const response = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      signal: stop.signal,
    });
    await response.body.dump({ limit: MAX_ANSWER_BYTES, signal: stop.signal });
    return resultOf(response, clock);
  } catch (error) {
    return { kind: 'Failed', why: error instanceof Error ? error.message : String(error), retryAfterMs: undefined };
  } finally {
    cancel();
    outer.removeEventListener('abort', leave);
  }
}

function resultOf({ statusCode, headers }: Dispatcher.ResponseData, clock: Clock): SendResult {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'Acknowledged' };
  const why = `status ${statusCode}`;
  if (REFUSALS.has(statusCode)) return { kind: 'Refused', why };
  const retryAfter = headers['retry-after'];
  return { kind: 'Failed', why, retryAfterMs: retryAfterMs(retryAfter && String(retryAfter), clock.now()) };
}

function batchOf(events: readonly QueuedEvent[]): EventBatch {
  return {
    schema: 'sluice.events/v1',
    exposures: events.flatMap((queued) => (queued.kind === 'exposure' ? [queued.event] : [])),
    metrics: events.flatMap((queued) => (queued.kind === 'metric' ? [queued.event] : [])),
  };
}
