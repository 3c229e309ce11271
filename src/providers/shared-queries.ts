import type { Clock } from '../base/clock.ts';
import type { DurationMs } from '../base/units.ts';
import { FairQueue } from './fair-queue.ts';
import { type Answer, type MetricProvider, type MetricRequest, providerDown } from './provider.ts';

/** Half of what a Prometheus runs at a time by default (`--query.max-concurrency` 20): people look at it as well. */
export const DEFAULT_MAX_CONCURRENT = 10;

interface SharedPorts {
  readonly provider: MetricProvider;
  readonly clock: Clock;
  /** Queries under way at a time; the others wait, and their waiting counts against their deadline. */
  readonly maxConcurrent: number;
}

/** One question that was asked, by however many. It is kept until its deadline, so that a late asker gets its answer too. */
interface Flight {
  readonly key: string;
  readonly request: MetricRequest;
  readonly deadlineMs: number;
  readonly stop: AbortController;
  readonly answer: Promise<Answer>;
  readonly settle: (outcome: Answer | Promise<Answer>) => void;
  state: 'Waiting' | 'Asked' | 'Answered';
  askers: number;
}

/**
 * Puts sharing and a concurrency limit before one provider: equal questions (text, instant, timeout) are asked once, and
 * the question is withdrawn only when the last asker has left. Make one for each provider: none waits for another's.
 */
export class SharedQueries implements MetricProvider {
  readonly #ports: SharedPorts;
  readonly #flights = new Map<string, Flight>();
  readonly #waiting = new FairQueue<Flight>();
  #underWay = 0;
  #closed = false;

  constructor(ports: SharedPorts) {
    this.#ports = ports;
  }

  async query(request: MetricRequest, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#closed) return closed;
    const key = `${request.at}/${request.timeoutMs}/${request.text}`;
    const flight = this.#flights.get(key) ?? this.#open(key, request);
    flight.askers++;
    let leave = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.answer, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.askers--;
      if (flight.askers === 0 && flight.state !== 'Answered') this.#withdraw(flight);
    }
  }

  /** Answers `Closed` to all who wait and forgets everything. The provider behind it is its owner's to close. */
  close(): void {
    this.#closed = true;
    for (const flight of [...this.#flights.values()]) {
      if (flight.state === 'Waiting') flight.settle(closed);
      this.#withdraw(flight);
    }
  }

  #open(key: string, request: MetricRequest): Flight {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const deadlineMs = this.#ports.clock.now() + request.timeoutMs;
    const stop = new AbortController();
    const flight: Flight = {
      key,
      request,
      deadlineMs,
      stop,
      answer: promise,
      settle: resolve,
      state: 'Waiting',
      askers: 0,
    };
    this.#flights.set(key, flight);
    this.#waiting.push(request.owner, flight);
    const cancelTimer = this.#ports.clock.after(request.timeoutMs, () => this.#expire(flight));
    stop.signal.addEventListener('abort', cancelTimer, { once: true });
    this.#startNext();
    return flight;
  }

  #startNext(): void {
    if (this.#underWay >= this.#ports.maxConcurrent) return;
    const flight = this.#waiting.shift();
    if (!flight) return;
    this.#underWay++;
    flight.state = 'Asked';
    flight.settle(this.#ask(flight));
  }

  async #ask(flight: Flight): Promise<Answer> {
    const { provider, clock } = this.#ports;
    const timeoutMs = (flight.deadlineMs - clock.now()) as DurationMs;
    try {
      return await provider.query({ ...flight.request, timeoutMs }, flight.stop.signal);
    } catch (error) {
      if (this.#closed) return closed;
      throw error;
    } finally {
      flight.state = 'Answered';
      this.#underWay--;
      this.#startNext();
    }
  }

  /** At the deadline the answer is forgotten. A provider that is late ends its query itself. */
  #expire(flight: Flight): void {
    this.#forget(flight);
    if (flight.state !== 'Waiting') return;
    this.#waiting.remove(flight.request.owner, flight);
    flight.state = 'Answered';
    const limit = this.#ports.maxConcurrent;
    flight.settle(providerDown('Busy', `${limit} queries were under way for ${flight.request.timeoutMs} ms`));
  }

  #withdraw(flight: Flight): void {
    this.#forget(flight);
    this.#waiting.remove(flight.request.owner, flight);
    flight.stop.abort(new Error('nobody waits for this query any more'));
  }

  #forget(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }
}

const closed = providerDown('Closed', 'the provider was closed');
