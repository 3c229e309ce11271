import type { ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';

const PING_MS = 15_000;
/** A reader that lets this much wait is cut off; it comes back and fetches anew. */
const MAX_WAITING_BYTES = 65_536;

/** What OFREP's clients are told: to fetch their answers again. */
export interface Change {
  /** Of the configuration, not of anyone's answers. */
  readonly tag: string;
  readonly atSeconds: number;
}

/** The open event streams of OFREP's web clients. */
export class EventStreams {
  readonly #open = new Set<ServerResponse>();
  readonly #maxStreams: number;
  readonly #cancelPings: () => void;

  constructor(clock: Clock, maxStreams: number) {
    this.#maxStreams = maxStreams;
    let cancel = () => {};
    const ping = () => {
      // Proxies end what is silent for long, and a write is how a dead peer is found.
      for (const response of this.#open) this.#write(response, ': ping\n\n');
      cancel = clock.after(PING_MS, ping);
    };
    cancel = clock.after(PING_MS, ping);
    this.#cancelPings = () => cancel();
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#maxStreams;
  }

  /** Takes over a response until its reader goes. `news`: what its reader may not know. */
  add(response: ServerResponse, news: Change | undefined): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    this.#write(response, news ? textOf(news) : ': open\n\n');
  }

  tell(change: Change): void {
    const text = textOf(change);
    for (const response of this.#open) this.#write(response, text);
  }

  stop(): void {
    this.#cancelPings();
    for (const response of this.#open) response.end();
  }

  #write(response: ServerResponse, text: string): void {
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
    else response.write(text);
  }
}

/** OFREP 0.3, ADR-0008. */
function textOf({ tag, atSeconds }: Change): string {
  const data = JSON.stringify({ type: 'refetchEvaluation', etag: tag, lastModified: atSeconds });
  return `event: message\nid: ${tag}\ndata: ${data}\n\n`;
}
