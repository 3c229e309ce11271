import { expect, test } from 'vitest';
import { EventIntake } from '../../../../src/evaluator/events/event-intake.ts';
import type { QueuedEvent } from '../../../../src/evaluator/events/queued-event.ts';
import { CountedEvents, exposureOf, metricOf } from '../../../support/event-fixtures.ts';

/** An intake over a disk that answers when the test says so. */
function intakeWith(rememberedIds?: number) {
  const counters = new CountedEvents();
  const written: string[][] = [];
  const disk: { resolve(): void; reject(error: Error): void }[] = [];
  const append = (events: readonly QueuedEvent[]) => {
    written.push(events.map(({ event }) => event.id));
    return new Promise<void>((resolve, reject) => disk.push({ resolve, reject }));
  };
  return { intake: new EventIntake({ append, counters }, rememberedIds), counters, written, disk };
}

test('an event is written once, within a batch and across batches', async () => {
  const { intake, counters, written, disk } = intakeWith();
  const first = intake.submit([metricOf('a'), metricOf('b'), metricOf('a')]);
  disk[0]!.resolve();
  expect(await first).toEqual({ accepted: 2, duplicates: 1 });
  expect(await intake.submit([metricOf('b')])).toEqual({ accepted: 0, duplicates: 1 });
  expect(written).toEqual([['a', 'b']]);
  expect(counters).toMatchObject({ acceptedCount: 2, duplicates: 2 });
});

test('a duplicate of what is being written is promised nothing before that is on disk', async () => {
  const { intake, disk } = intakeWith();
  const first = intake.submit([metricOf('a')]);
  const second = intake.submit([metricOf('a')]);
  let isSecondDone = false;
  void second.then(() => {
    isSecondDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSecondDone).toBe(false);
  disk[0]!.resolve();
  expect(await first).toEqual({ accepted: 1, duplicates: 0 });
  expect(await second).toEqual({ accepted: 0, duplicates: 1 });
});

test('what could not be written is not known, for its twin neither, and may come again', async () => {
  const { intake, counters, written, disk } = intakeWith();
  const both = [intake.submit([metricOf('a')]), intake.submit([metricOf('a')])];
  disk[0]!.reject(new Error('full'));
  for (const one of both) await expect(one).rejects.toThrow('full');
  expect(intake.has('metric', 'a')).toBe(false);
  const again = intake.submit([metricOf('a')]);
  disk[1]!.resolve();
  expect(await again).toEqual({ accepted: 1, duplicates: 0 });
  expect(written).toEqual([['a'], ['a']]);
  expect(counters).toMatchObject({ acceptedCount: 1, duplicates: 0 });
});

test('ids of metric events push no exposures out of memory', async () => {
  const { intake, disk } = intakeWith(1);
  const exposure = exposureOf('00112233aabbccdd');
  const submits = [intake.submit([exposure]), intake.submit([metricOf('a'), metricOf('b')])];
  for (const { resolve } of disk) resolve();
  await Promise.all(submits);
  expect(intake.has('exposure', exposure.event.id)).toBe(true);
  expect(intake.has('metric', 'a')).toBe(false); // one is remembered
  expect(intake.has('metric', 'b')).toBe(true);
});
