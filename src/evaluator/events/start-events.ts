import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Assignment } from '../../core/evaluation/answer.ts';
import type { BatchSender } from './batch-sender.ts';
import type { EventRuleset } from './evaluator-ruleset.ts';
import type { EventCounters } from './event-counters.ts';
import { EventIntake } from './event-intake.ts';
import { EventQueue } from './event-queue.ts';
import { ExposureLog } from './exposure-log.ts';
import { Forwarder } from './forwarder.ts';
import type { EventKind } from './queued-event.ts';
import { registerEvents } from './register-events.ts';

export interface EventOptions {
  /** Where events wait; used by one process at a time. */
  readonly directory: string;
  /** Base address of the collector; without one events stay on disk until the oldest give way. */
  readonly collector: URL | undefined;
}

export interface EventsPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: EventCounters;
  /** The ruleset in use; undefined as long as there is none. */
  readonly ruleset: () => EventRuleset | undefined;
}

/** The event half of an evaluator. */
export interface Events {
  /** Adds `POST /exposures` or `POST /metrics` or both. */
  registerEvents(app: FastifyInstance, kinds: readonly EventKind[]): void;
  /** An experiment answered a single evaluation: who asked is about to see it. */
  exposed(flag: string, assignment: Assignment, held: { readonly compiled: EventRuleset }): void;
  /** To be called once no request comes any more: sends what is left for a while and ends everything, within STOP_MS. */
  stop(): Promise<void>;
}

/** 64 MiB in all. */
const QUEUE = { segmentBytes: 2_097_152, maxSegments: 32, maxPendingBytes: 4_194_304 };
const DRAIN_MS = 3_000;
/** With what a disk that hangs may hold up. */
export const STOP_MS = 5_000;

/** Takes up the events of an earlier run and begins to forward. Never rejects for what the disk does. */
export async function startEvents({ directory, collector }: EventOptions, ports: EventsPorts): Promise<Events> {
  const { clock, counters } = ports;
  const queue = await EventQueue.open({ directory, ...QUEUE }, ports);
  const intake = new EventIntake({ append: (events) => queue.append(events), counters });
  const exposureLog = new ExposureLog({ intake, clock, counters });
  const forwarder = collector && new Forwarder({ queue, sender: await senderTo(collector, clock), ...ports });
  forwarder?.start();
  const end = async () => {
    await forwarder?.stop(DRAIN_MS);
    await queue.close();
  };
  return {
    registerEvents: (app, kinds) => registerEvents(app, { ...ports, intake }, kinds),
    exposed: (flag, assignment, { compiled }) => exposureLog.exposed(flag, assignment, compiled),
    stop: () => settledOrLate(clock, end()),
  };
}

/** Its HTTP client takes 6 MB, which an evaluator that forwards nothing does not pay. */
async function senderTo(collector: URL, clock: Clock): Promise<BatchSender> {
  const { createBatchSender } = await import('./batch-sender.ts');
  return createBatchSender(collector, clock);
}

/** Resolves with `work`, or after STOP_MS; rejects only with `work`. */
function settledOrLate(clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(STOP_MS, resolve);
    work.then(resolve, reject).finally(cancel);
  });
}
