import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One query that was answered. */
export interface Answered {
  /** `namespace/name` of the rollout that it was about. */
  readonly key: string;
  readonly bad: boolean;
  /** The instant that was asked for, ms since 1970; undefined where the query named none. */
  readonly instantMs: number | undefined;
  /** When the last byte of the answer was handed to the kernel (performance.now()). */
  readonly atMs: number;
}

/**
 * A metric source that speaks enough of Prometheus's HTTP API on loopback: instant queries by POST and GET. A query is about
 * the rollout that its labels `namespace="…"` and `rollout="…"` name; the answer is 0, or 1 while that rollout is set bad.
 */
export class FakePrometheus {
  readonly #server: Server;
  #port = 0;
  readonly #bad = new Set<string>();
  readonly #listeners = new Set<(answered: Answered) => void>();

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async start(): Promise<FakePrometheus> {
    const fake = new FakePrometheus();
    await once(fake.#server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on every answer about this rollout is out of bounds, or in bounds again. */
  setBad(key: string, bad: boolean): void {
    if (bad) this.#bad.add(key);
    else this.#bad.delete(key);
  }

  /** Calls `listener` for each answer; answers what ends that. */
  onAnswer(listener: (answered: Answered) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Refuses connections from now on, and ends those that are open. */
  async refuse(): Promise<void> {
    this.#port = (this.#server.address() as AddressInfo).port;
    await this.stop();
  }

  /** Serves again, at the same address. */
  async accept(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://prometheus');
    outgoing.setHeader('content-type', 'application/json');
    if (!url.pathname.endsWith('/api/v1/query')) {
      incoming.resume();
      outgoing.end(JSON.stringify({ status: 'success', data: {} })); // whether somebody is there
      return;
    }
    const form = new URLSearchParams(incoming.method === 'POST' ? await textOf(incoming) : url.search);
    const query = form.get('query') ?? '';
    const key = `${labelIn(query, 'namespace')}/${labelIn(query, 'rollout')}`;
    const bad = this.#bad.has(key);
    const instantMs = instantOf(form.get('time'));
    const isOne = bad || query === 'vector(1)'; // how Flagger asks whether anybody is there
    const sample = [(instantMs ?? Date.now()) / 1000, isOne ? '1' : '0'];
    const data = { resultType: 'vector', result: [{ metric: {}, value: sample }] };
    outgoing.end(JSON.stringify({ status: 'success', data }), () => {
      const answered = { key, bad, instantMs, atMs: performance.now() };
      for (const listener of this.#listeners) listener(answered);
    });
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const labelIn = (query: string, label: string): string => new RegExp(`\\b${label}="([^"]*)"`).exec(query)?.[1] ?? '';

/** Prometheus takes seconds since 1970, with fractions, or RFC 3339. */
function instantOf(time: string | null): number | undefined {
  if (time === null) return undefined;
  const seconds = Number(time);
  return Math.round(Number.isNaN(seconds) ? Date.parse(time) : seconds * 1000);
}
