import { backoffMs } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { LIMITS } from '../../wire/limits.ts';
import type { BatchSender } from './batch-sender.ts';
import type { EventCounters } from './event-counters.ts';
import type { EventQueue } from './event-queue.ts';
import type { QueuedEvent } from './queued-event.ts';

export interface ForwarderPorts {
  readonly queue: Pick<EventQueue, 'waiting' | 'take' | 'acknowledge' | 'whenFilled'>;
  readonly sender: BatchSender;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: EventCounters;
}

/** How long events are gathered before a batch that is not full is sent. */
const LINGER_MS = 1_000;
const MAX_BATCH_BYTES = 1_048_576;
const BACKOFF = { firstMs: 500, maxMs: 60_000 };
/** A collector that asks for more patience is asked again after this long all the same. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Sends the queue to the collector in order, one batch at a time, again and again until each is acknowledged: at least once.
 * A batch that the collector refuses is halved until the refused events are found, so that they alone are dropped; one that is too
 * long for something on the way, until it passes.
 */
export class Forwarder {
  readonly #ports: ForwarderPorts;
  readonly #abort = new AbortController();
  /** Ends gathering and waiting, not sending. */
  readonly #hurry = new AbortController();
  #running: Promise<void> | undefined;

  constructor(ports: ForwarderPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Sends what is left for at most `drainMs`, but does not wait for a collector that fails; then ends. */
  async stop(drainMs: number): Promise<void> {
    this.#hurry.abort(new Error('the forwarder stops'));
    const cancel = this.#ports.clock.after(drainMs, () => this.#abort.abort(new Error('the forwarder stopped')));
    await this.#running;
    cancel();
    this.#abort.abort(new Error('the forwarder stopped'));
    await this.#ports.sender.close();
  }

  async #run(): Promise<void> {
    const { queue, clock } = this.#ports;
    while (!this.#abort.signal.aborted) {
      await this.#untilHurried((signal) => queue.whenFilled(signal));
      if (queue.waiting < LIMITS.batch) await this.#untilHurried((signal) => sleep(clock, LINGER_MS, signal));
      const batch = await queue.take(LIMITS.batch, MAX_BATCH_BYTES);
      if (batch === undefined && this.#hurry.signal.aborted) return; // nothing is left
      if (batch === undefined) continue;
      if (!(await this.#deliver(batch.events))) return;
      await queue.acknowledge(batch);
    }
  }

  /** True once every event was acknowledged or dropped; false when it is time to stop. */
  async #deliver(events: readonly QueuedEvent[]): Promise<boolean> {
    const { sender, clock, random, logger, counters } = this.#ports;
    for (let attempt = 1; ; attempt++) {
      const result = await sender.send(events, this.#abort.signal);
      if (result.kind === 'Acknowledged') {
        counters.forwarded(events.length);
        return true;
      }
      const isTooLong = result.kind === 'Failed' && result.isTooLong;
      if ((result.kind === 'Refused' || isTooLong) && events.length > 1) return this.#halve(events);
      if (result.kind === 'Refused') return this.#drop(events, result.why);
      counters.sendFailed();
      const bound = Math.min(result.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
      const waitMs = Math.max(bound, backoffMs(attempt, BACKOFF, random));
      const { why } = result;
      logger.warn({ code: 'SLUICE_EVENTS_COLLECTOR', why, attempt, waitMs }, 'the collector took no events');
      await this.#untilHurried((signal) => sleep(clock, waitMs, signal));
      if (this.#hurry.signal.aborted) return false;
    }
  }

  async #halve(events: readonly QueuedEvent[]): Promise<boolean> {
    const half = Math.ceil(events.length / 2);
    return (await this.#deliver(events.slice(0, half))) && this.#deliver(events.slice(half));
  }

  #drop([event]: readonly QueuedEvent[], why: string): true {
    const { counters, logger } = this.#ports;
    logger.error(
      { code: 'SLUICE_EVENTS_REFUSED', why, kind: event?.kind, id: event?.event.id },
      'an event was refused',
    );
    counters.dropped('Refused', 1);
    return true;
  }

  /** Waits, but no longer than until `stop`. */
  async #untilHurried(wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#hurry;
    await wait(signal).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }
}
