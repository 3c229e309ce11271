import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventIntake } from '../../../../src/evaluator/events/event-intake.ts';
import { encodeRecord } from '../../../../src/evaluator/events/record.ts';
import { SEGMENT_MAGIC } from '../../../../src/evaluator/events/segment.ts';
import {
  CountedEvents,
  drain,
  metricOf,
  type OpenedQueue,
  openQueue,
  scratchDirectory,
} from '../../../support/event-fixtures.ts';

/** What may happen to an evaluator and its queue. Batches of the same step are under way at the same time. */
type Step =
  | { readonly kind: 'Submit'; readonly batches: readonly (readonly string[])[] }
  | { readonly kind: 'Forward'; readonly maxEvents: number; readonly fate: 'Acknowledged' | 'AnswerLost' | 'NotSent' }
  | { readonly kind: 'Kill'; readonly torn: readonly string[]; readonly share: number }
  | { readonly kind: 'Restart' };

const id = fc.integer({ min: 0, max: 60 }).map((n) => `m${String(n).padStart(2, '0')}`);
const batch = fc.array(id, { minLength: 1, maxLength: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('Submit'), batches: fc.array(batch, { minLength: 1, maxLength: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('Forward'),
      maxEvents: fc.integer({ min: 1, max: 10 }),
      fate: fc.constantFrom('Acknowledged', 'Acknowledged', 'AnswerLost', 'NotSent'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('Kill'),
      torn: batch,
      share: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Restart') }) },
);

/** One life of an evaluator after the other over the same directory, and a collector that de-duplicates. */
class World {
  readonly counters = new CountedEvents();
  /** Answered with 202. */
  readonly promised = new Set<string>();
  /** Ever given to the queue. */
  readonly offered = new Set<string>();
  readonly collected = new Set<string>();
  readonly #directory = scratchDirectory();
  readonly #bounds: { segmentBytes: number; maxSegments: number };
  readonly #lives: OpenedQueue[] = [];
  #intake!: EventIntake;

  constructor(bounds: { segmentBytes: number; maxSegments: number }) {
    this.#bounds = bounds;
  }

  get #queue() {
    return this.#lives.at(-1)!.queue;
  }

  get files(): string[] {
    return existsSync(this.#directory) ? readdirSync(this.#directory).sort() : [];
  }

  async live(): Promise<void> {
    this.#lives.push(await openQueue({ directory: this.#directory, ...this.#bounds }, { counters: this.counters }));
    const queue = this.#queue;
    this.#intake = new EventIntake({ append: (events) => queue.append(events), counters: this.counters });
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'Submit':
        await Promise.all(step.batches.map((ids) => this.#submit(ids)));
        return;
      case 'Forward':
        return this.#forward(step.maxEvents, step.fate);
      case 'Kill':
        this.#tear(step.torn, step.share);
        return this.live();
      case 'Restart':
        await this.#queue.close();
        return this.live();
    }
  }

  async #submit(ids: readonly string[]): Promise<void> {
    for (const one of ids) this.offered.add(one);
    await this.#intake.submit(ids.map((one) => metricOf(one)));
    for (const one of ids) this.promised.add(one);
  }

  async #forward(maxEvents: number, fate: string): Promise<void> {
    const batch = await this.#queue.take(maxEvents, 100_000);
    if (batch === undefined || fate === 'NotSent') return;
    for (const { event } of batch.events) this.collected.add(event.id);
    if (fate === 'Acknowledged') await this.#queue.acknowledge(batch);
  }

  /** A write that was under way when the process ended: a part of it is in the last file, or in a new one. */
  #tear(ids: readonly string[], share: number): void {
    for (const one of ids) this.offered.add(one);
    const records = Buffer.concat(ids.map((one) => encodeRecord(metricOf(one))));
    const last = this.files.at(-1);
    const whole = last === undefined ? Buffer.concat([SEGMENT_MAGIC, records]) : records;
    appendFileSync(
      join(this.#directory, last ?? '000000900000.events'),
      whole.subarray(0, Math.floor(share * whole.length)),
    );
  }

  async end(): Promise<void> {
    for (const one of await drain(this.#queue)) this.collected.add(one);
    for (const { queue } of this.#lives) await queue.close();
  }
}

async function runThrough(
  bounds: { segmentBytes: number; maxSegments: number },
  steps: readonly Step[],
): Promise<World> {
  const world = new World(bounds);
  await world.live();
  for (const step of steps) {
    await world.take(step);
    expect(world.files.length).toBeLessThanOrEqual(bounds.maxSegments);
  }
  await world.end();
  for (const one of world.collected) expect(world.offered).toContain(one);
  return world;
}

const segmentBytes = fc.constantFrom(1, 400, 2_000, 1_000_000);
const steps = fc.array(step, { minLength: 1, maxLength: 30 });

test('whatever is appended, killed, recovered and forwarded in any order: all that was promised arrives, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(segmentBytes, steps, async (bytes, taken) => {
      const world = await runThrough({ segmentBytes: bytes, maxSegments: 10_000 }, taken);
      expect([...world.promised].filter((one) => !world.collected.has(one))).toEqual([]);
      expect(world.counters.droppedBy).toEqual({});
      expect(world.files).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 120_000);

test('with few segments no more is missing than was counted as dropped', async () => {
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 400, 700),
      fc.integer({ min: 2, max: 4 }),
      steps,
      async (bytes, maxSegments, taken) => {
        const world = await runThrough({ segmentBytes: bytes, maxSegments }, taken);
        const missing = [...world.promised].filter((one) => !world.collected.has(one));
        expect(missing.length).toBeLessThanOrEqual(world.counters.droppedBy.Full ?? 0);
        dropped += missing.length;
      },
    ),
    { numRuns: 100 },
  );
  expect(dropped).toBeGreaterThan(100);
}, 120_000);
