import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { drain, openQueue, scratchDirectory } from '../../../support/event-fixtures.ts';

/** Appends event after event, and says `ok ID` once each is promised, `no ID` when it is refused. */
const writer = `
  const [directory, first, count, perAppend] = process.argv.slice(1);
  const { EventQueue } = await import('${pathToFileURL(resolve('src/evaluator/events/event-queue.ts'))}');
  const nothing = () => {};
  const counters = { queued: nothing, dropped: nothing };
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  let now = 0;
  const clock = { now: () => (now += 10_000) }; // no rest for the disk
  const options = { directory, segmentBytes: 65_536, maxSegments: 1_000, maxPendingBytes: 1_048_576 };
  const queue = await EventQueue.open(options, { clock, logger, counters });
  const metric = (id) => ({ kind: 'metric', event: {
    id, flagSetId: 'shop', event: 'e', unitHash: '0123456789abcdef', value: 1, time: '2026-11-21T08:00:00.000Z' } });
  for (let n = 0, appends = 0; n < Number(count); appends++) {
    // Every other one is small, so that it may fit where a larger one did not.
    const size = appends % 2 === 0 ? Number(perAppend) : 1;
    const ids = Array.from({ length: size }, (_, i) => 'm' + (Number(first) + n + i));
    const word = await queue.append(ids.map(metric)).then(() => 'ok', () => 'no');
    process.stdout.write(ids.map((id) => word + ' ' + id + '\\n').join(''));
    n += size;
  }
`;

interface Written {
  readonly ok: readonly string[];
  readonly no: readonly string[];
}

async function runWriter(
  { limitKiB, killAfter = Infinity }: { limitKiB?: number; killAfter?: number },
  args: readonly string[],
): Promise<Written> {
  const node = [process.execPath, '--input-type=module', '-e', writer, ...args];
  const limit = limitKiB === undefined ? '' : `ulimit -f ${limitKiB}; `;
  const child = spawn('bash', ['-c', `${limit}exec "$0" "$@"`, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (said.split('\n').length > killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const whole = said.slice(0, said.lastIndexOf('\n') + 1).split('\n');
  const ids = (word: string) =>
    whole.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length + 1));
  return { ok: ids('ok'), no: ids('no') };
}

test('a process that is killed with -9, again and again, loses nothing that it had promised', async () => {
  const directory = scratchDirectory();
  const promised: string[] = [];
  for (const [round, killAfter] of [1, 20, 300, 1_500].entries()) {
    const { ok } = await runWriter({ killAfter }, [directory, String(round * 1_000_000), '500000', '1']);
    expect(ok.length).toBeGreaterThanOrEqual(killAfter);
    expect(ok.length).toBeLessThan(500_000);
    promised.push(...ok);
  }
  const { queue } = await openQueue({ directory });
  const found = await drain(queue);
  const known = new Set(found);
  expect(promised.filter((id) => !known.has(id))).toEqual([]);
  expect(known.size).toBe(found.length);
  // Of what was under way when the process ended, at most one event of each life.
  expect(found.length - promised.length).toBeLessThanOrEqual(4);
});

test('a disk that takes only a part of a write leaves exactly what was promised', async () => {
  const directory = scratchDirectory();
  const { ok, no } = await runWriter({ limitKiB: 8 }, [directory, '0', '240', '20']);
  expect(ok.length).toBeGreaterThan(30);
  expect(no.length).toBeGreaterThan(10);
  expect(Math.max(...ok.map((id) => Number(id.slice(1))))).toBeGreaterThan(Number(no[0]!.slice(1))); // it went on after a failure
  const { queue, counters } = await openQueue({ directory });
  expect(await drain(queue)).toEqual(ok);
  expect(counters.droppedBy).toEqual({});
});

test('a disk that takes nothing at all is left without empty files', async () => {
  const directory = scratchDirectory();
  const { ok, no } = await runWriter({ limitKiB: 0 }, [directory, '0', '5', '1']);
  expect([ok.length, no.length]).toEqual([0, 5]);
  expect(readdirSync(directory)).toEqual([]);
});
