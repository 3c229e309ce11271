import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { retryAfterMs } from '../../base/retry-after.ts';
import type { DurationMs } from '../../base/units.ts';
import type { EventBatch } from '../../wire/event-batch.ts';
import type { QueuedEvent } from './queued-event.ts';

/** What became of a batch. Refused: the collector itself says that it will never take it as it is. */
export type SendResult =
  | { readonly kind: 'Acknowledged' }
  | { readonly kind: 'Refused'; readonly why: string }
  | {
      readonly kind: 'Failed';
      readonly why: string;
      readonly retryAfterMs: DurationMs | undefined;
      /** Something on the way takes no body as long as this one. */
      readonly isTooLong: boolean;
    };

export interface BatchSender {
  /** Never rejects; a signal that aborts is a failure. */
  send(events: readonly QueuedEvent[], signal: AbortSignal): Promise<SendResult>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** For one batch: connection, upload, and the collector's own writes. */
const DEADLINE_MS = 10_000;
/** Of an answer only its status is read, and the code of a refusal; a longer body costs the connection. */
const MAX_ANSWER_BYTES = 16_384;
/** About the batch itself, where the collector says it. Others may have other causes (a wrong address, a missing right). */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);
/** A port for TLS, a proxy or a web server answer 400 as well; but not with a code of ours. */
const OWN_CODE = /^SLUICE_[A-Z0-9_]{1,64}$/;

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
    const { body, statusCode } = response;
    if (REFUSALS.has(statusCode)) return resultOf(response, await ownCodeIn(body), clock);
    await body.dump({ limit: MAX_ANSWER_BYTES, signal: stop.signal });
    return resultOf(response, undefined, clock);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'Failed', why, retryAfterMs: undefined, isTooLong: false };
  } finally {
    cancel();
    outer.removeEventListener('abort', leave);
  }
}

function resultOf(
  { statusCode, headers }: Dispatcher.ResponseData,
  code: string | undefined,
  clock: Clock,
): SendResult {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'Acknowledged' };
  if (code !== undefined) return { kind: 'Refused', why: `status ${statusCode}, ${code}` };
  const why = `status ${statusCode}${REFUSALS.has(statusCode) ? ' from what seems to be no collector' : ''}`;
  const retryAfter = headers['retry-after'];
  const afterMs = retryAfterMs(retryAfter && String(retryAfter), clock.now());
  return { kind: 'Failed', why, retryAfterMs: afterMs, isTooLong: statusCode === 413 };
}

/** The `code` of a JSON object where it is one of ours. Leaving the loop early destroys the stream and with it the connection. */
async function ownCodeIn(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    const said: { code?: unknown } | null = JSON.parse(Buffer.concat(chunks).toString());
    return typeof said?.code === 'string' && OWN_CODE.test(said.code) ? said.code : undefined;
  } catch {
    return undefined; // no JSON
  }
}

function batchOf(events: readonly QueuedEvent[]): EventBatch {
  return {
    schema: 'sluice.events/v1',
    exposures: events.flatMap((queued) => (queued.kind === 'exposure' ? [queued.event] : [])),
    metrics: events.flatMap((queued) => (queued.kind === 'metric' ? [queued.event] : [])),
  };
}
