import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeRecord } from '../../../../src/evaluator/events/record.ts';
import { CountedEvents, drain, metricOf, openQueue, scratchDirectory } from '../../../support/event-fixtures.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const RECORD_BYTES = encodeRecord(metricOf('m00')).length;
const named = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => metricOf(`m${String(from + n).padStart(2, '0')}`));
const idsOf = (events: readonly { event: { id: string } }[]) => events.map(({ event }) => event.id);

describe('a queue', () => {
  test('gives events in the order in which they came, across segments and a new start', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory, segmentBytes: 3 * RECORD_BYTES });
    for (let n = 0; n < 10; n++) await queue.append(named(n, 1));
    expect(readdirSync(directory).length).toBeGreaterThan(3);
    await queue.close();
    const { queue: next, counters } = await openQueue({ directory, segmentBytes: 3 * RECORD_BYTES });
    expect(counters.queuedNow.events).toBe(10);
    await next.append(named(10, 1));
    expect(await drain(next)).toEqual(idsOf(named(0, 11)));
    expect(readdirSync(directory)).toEqual([]);
    expect(counters.queuedNow).toEqual({ bytes: 0, events: 0 });
  });

  test('gives a batch again until it is acknowledged, and no event of it after that', async () => {
    const { queue } = await openQueue({ directory: scratchDirectory() });
    await queue.append(named(0, 5));
    const first = (await queue.take(2, 10_000))!;
    expect(idsOf((await queue.take(2, 10_000))!.events)).toEqual(idsOf(first.events));
    await queue.acknowledge(first);
    expect(idsOf((await queue.take(2, 10_000))!.events)).toEqual(['m02', 'm03']);
  });

  test('writes what waits together, no more than fits into each segment, and tells everyone', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory, segmentBytes: 3 * RECORD_BYTES + 16 });
    await Promise.all(named(0, 20).map((event) => queue.append([event])));
    const lengths = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    expect(Math.max(...lengths)).toBe(3 * RECORD_BYTES + 16);
    expect(await drain(queue)).toEqual(idsOf(named(0, 20)));
  });

  test('goes on after a write that the end of the process cut off, and counts no loss', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory });
    await queue.append(named(0, 2));
    const [file] = readdirSync(directory);
    appendFileSync(join(directory, file!), encodeRecord(metricOf('torn')).subarray(0, 30));
    const { queue: next, counters } = await openQueue({ directory });
    await next.append(named(2, 1));
    const { queue: third } = await openQueue({ directory });
    expect(await drain(third)).toEqual(['m00', 'm01', 'm02']);
    expect(counters.droppedCount).toBe(0);
  });

  test('lets the oldest segment give way when there are too many, and counts its events', async () => {
    const directory = scratchDirectory();
    const { queue, counters } = await openQueue({ directory, segmentBytes: 2 * RECORD_BYTES + 16, maxSegments: 3 });
    for (let n = 0; n < 10; n++) await queue.append(named(n, 1));
    expect(readdirSync(directory)).toHaveLength(3);
    expect(counters.droppedBy).toEqual({ Full: 4 });
    expect(await drain(queue)).toEqual(idsOf(named(4, 6)));
  });

  test('does not mind that a batch is acknowledged whose segment gave way', async () => {
    const { queue, counters } = await openQueue({
      directory: scratchDirectory(),
      segmentBytes: 2 * RECORD_BYTES + 16,
      maxSegments: 2,
    });
    await queue.append(named(0, 2));
    const old = (await queue.take(10, 10_000))!;
    for (let n = 2; n < 6; n++) await queue.append(named(n, 1));
    await queue.acknowledge(old);
    expect(counters.droppedBy).toEqual({ Full: 2 });
    expect(await drain(queue)).toEqual(['m02', 'm03', 'm04', 'm05']);
  });

  test('refuses what would wait for the disk beyond its bound, and takes it later', async () => {
    const { queue } = await openQueue({ directory: scratchDirectory(), maxPendingBytes: 2 * RECORD_BYTES });
    const taken = queue.append(named(0, 2));
    await expect(queue.append(named(2, 1))).rejects.toMatchObject({ code: 'SLUICE_EVENTS_OVERLOADED' });
    await taken;
    await queue.append(named(2, 1));
    expect(await drain(queue)).toEqual(['m00', 'm01', 'm02']);
  });

  test('wakes who waits for events, and lets go of who left', async () => {
    const { queue } = await openQueue({ directory: scratchDirectory() });
    const leave = new AbortController();
    const left = queue.whenFilled(leave.signal);
    const filled = queue.whenFilled(new AbortController().signal);
    leave.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await queue.append(named(0, 1));
    await filled;
    await queue.whenFilled(new AbortController().signal); // at once
  });

  test('writes what it has promised before it closes, and takes nothing after', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory, segmentBytes: 1 });
    let promised = 0;
    for (const event of named(0, 3)) {
      queue.append([event]).then(
        () => {
          promised += 1;
        },
        () => {},
      );
    }
    await queue.close();
    expect(promised).toBe(3);
    await expect(queue.append(named(3, 1))).rejects.toMatchObject({ code: 'SLUICE_EVENTS_STORE' });
    expect(await drain((await openQueue({ directory })).queue)).toEqual(['m00', 'm01', 'm02']);
  });
});

describe('a bad disk', () => {
  test('is left alone for a second after a failure; then events are taken again', async () => {
    const clock = new FakeClock();
    const directory = join(scratchDirectory(), 'events');
    writeFileSync(directory, 'a file stands where the directory belongs');
    const { queue, counters } = await openQueue({ directory }, { clock });
    await expect(queue.append(named(0, 1))).rejects.toMatchObject({ code: 'SLUICE_EVENTS_STORE' });
    rmSync(directory);
    await expect(queue.append(named(0, 1))).rejects.toMatchObject({ code: 'SLUICE_EVENTS_STORE' });
    await clock.advance(1_000);
    await queue.append(named(1, 1));
    expect(counters.queuedNow.events).toBe(1);
    expect(await drain(queue)).toEqual(['m01']);
  });

  test('that could not be read at the start costs no event of the run before', async () => {
    const clock = new FakeClock();
    const directory = join(scratchDirectory(), 'events');
    const { queue: earlier } = await openQueue({ directory });
    await earlier.append(named(0, 2));
    await earlier.close();
    renameSync(directory, `${directory}-away`);
    writeFileSync(directory, 'a file stands where the directory belongs');
    const { queue, counters } = await openQueue({ directory }, { clock });
    rmSync(directory);
    renameSync(`${directory}-away`, directory);
    await queue.append(named(2, 1));
    expect(await drain(queue)).toEqual(['m00', 'm01', 'm02']);
    expect(counters.droppedCount).toBe(0);
  });

  test('that refuses to force events to it does not keep the queue from closing', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory });
    await queue.append(named(0, 1));
    const handle = await open(join(directory, 'any'), 'w');
    await handle.close();
    vi.spyOn(Object.getPrototypeOf(handle), 'datasync').mockRejectedValueOnce(new Error('EIO: i/o error, fdatasync'));
    onTestFinished(() => void vi.restoreAllMocks());
    await queue.close();
    expect(await drain((await openQueue({ directory })).queue)).toEqual(['m00']);
  });

  test('that gives back something else costs the rest of that segment, counted, and nothing of the others', async () => {
    const directory = scratchDirectory();
    const { queue, counters } = await openQueue({ directory, segmentBytes: 3 * RECORD_BYTES + 16 });
    for (let n = 0; n < 9; n++) await queue.append(named(n, 1));
    const second = join(directory, readdirSync(directory).sort()[1]!);
    const content = readFileSync(second);
    content[16 + RECORD_BYTES + 20]! ^= 1; // in its second record
    writeFileSync(second, content);
    expect(await drain(queue)).toEqual(['m00', 'm01', 'm02', 'm03', 'm06', 'm07', 'm08']);
    expect(counters.droppedBy).toEqual({ Damaged: 2 });
  });

  test('is noticed at the start where a file ends too early that is not the last', async () => {
    const directory = scratchDirectory();
    const { queue } = await openQueue({ directory, segmentBytes: 3 * RECORD_BYTES + 16 });
    for (let n = 0; n < 5; n++) await queue.append(named(n, 1));
    await queue.close();
    const first = join(directory, readdirSync(directory).sort()[0]!);
    writeFileSync(first, readFileSync(first).subarray(0, -1));
    const { queue: next, counters } = await openQueue({ directory });
    expect(await drain(next)).toEqual(['m00', 'm01', 'm03', 'm04']);
    expect(counters.droppedBy).toEqual({ Damaged: 1 });
  });

  test('with files that are none of ours, or cannot be read, is worked around', async () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, 'notes.txt'), 'keep me');
    writeFileSync(join(directory, '000000000003.events'), 'sluice-events/9\nof a later version');
    mkdirSync(join(directory, '000000000004.events'));
    const counters = new CountedEvents();
    const { queue } = await openQueue({ directory }, { counters });
    await queue.append(named(0, 1));
    expect(await drain(queue)).toEqual(['m00']);
    expect(readdirSync(directory)).toEqual(['000000000004.events', 'notes.txt']);
    expect(counters.droppedBy).toEqual({ Damaged: 1 });
  });
});
