import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type EventBatch, eventBatchSchema } from '../../src/wire/event-batch.ts';

/** What becomes of one batch; `Kept` is what a collector does that works. */
export type CollectorAnswer =
  | { readonly kind: 'Kept' }
  /** The batch is kept, and the connection breaks before the answer. */
  | { readonly kind: 'KeptAndCut' }
  | { readonly kind: 'Cut' }
  | { readonly kind: 'Hangs' }
  /** What a collector says of a batch that it will never take. */
  | { readonly kind: 'Refuses'; readonly status: number }
  /** What something else says, between or instead. */
  | {
      readonly kind: 'Status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    };

const REFUSAL = JSON.stringify({ code: 'SLUICE_EVENTS_REFUSED', message: 'an event has a strange field' });

/** A collector on loopback that de-duplicates by id and checks each batch against its schema. */
export interface FakeCollector {
  readonly url: URL;
  /** Each id once, in the order of arrival. */
  readonly ids: Set<string>;
  /** Every batch that came, also those that were not kept. */
  readonly batches: EventBatch[];
}

export async function startCollector(
  answer: (batch: EventBatch, count: number) => CollectorAnswer = () => ({ kind: 'Kept' }),
): Promise<FakeCollector> {
  const ids = new Set<string>();
  const batches: EventBatch[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method !== 'POST' || request.url !== '/base/events') return void response.writeHead(404).end();
    const batch = eventBatchSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    batches.push(batch);
    const decided = answer(batch, batches.length);
    if (decided.kind.startsWith('Kept')) for (const { id } of [...batch.exposures, ...batch.metrics]) ids.add(id);
    respond(response, decided);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`), ids, batches };
}

function respond(response: ServerResponse, decided: CollectorAnswer): void {
  if (decided.kind === 'Kept') response.writeHead(202).end('{}');
  else if (decided.kind === 'Status') response.writeHead(decided.status, decided.headers).end(decided.body);
  else if (decided.kind === 'Refuses') response.writeHead(decided.status).end(REFUSAL);
  else if (decided.kind !== 'Hangs') response.destroy();
}
