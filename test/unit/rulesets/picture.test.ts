import { expect, test } from 'vitest';
import type { EpochMs } from '../../../src/base/units.ts';
import { type Picture, reachOf, type Said } from '../../../src/rulesets/picture.ts';
import { decodePicture, encodePicture } from '../../../src/rulesets/picture-codec.ts';
import { readNotice } from '../../../src/rulesets/redis-store.ts';

const at = (seconds: number): EpochMs => (1_800_000_000_000 + seconds * 1_000) as EpochMs;

/** `said`: at which second which revision was said, the last of which is what runs. */
const said = (...runs: [second: number, revision: number][]): Said => ({
  at: at(runs.at(-1)![0]),
  running: runs.at(-1)![1],
  runs: runs.map(([second, revision]) => ({ at: at(second), revision })),
});

const picture = (
  streams: Record<string, number>,
  heard: Record<string, Said> = {},
  keys: Record<string, number> = {},
) => {
  const times = (of: Record<string, number>) => new Map(Object.entries(of).map(([name, second]) => [name, at(second)]));
  return { streams: times(streams), said: new Map(Object.entries(heard)), evaluatedAt: times(keys) } satisfies Picture;
};

/** Revisions 1, 2 and 3 were made at 10, 20 and 30 s. */
const measured = { newest: 3, issuedAt: new Map([1, 2, 3].map((revision) => [revision, at(10 * revision)])) };

test('a stream at one replica and what another heard of it belong together', () => {
  const { running, seconds } = reachOf([picture({ a: 5 }), picture({}, { a: said([10.5, 1], [21, 2]) })], measured);
  expect(running).toEqual([2]);
  expect([...seconds]).toEqual([
    [1, [0.5]],
    [2, [1]],
    [3, []],
  ]);
});

test('who is seen at two replicas counts once, from where it came last', () => {
  const before = picture({ a: 0, b: 0 }, { a: said([11, 1]), b: said([11, 1]) });
  const after = picture({ a: 32 }, { a: said([33, 3]) });
  const { running, seconds } = reachOf([before, after], measured);
  expect(running.toSorted()).toEqual([1, 3]);
  expect(seconds.get(3)).toEqual([1]);
});

test('what it had before it came back took as long as it took then', () => {
  const { seconds } = reachOf([picture({ a: 25 }, { a: said([24, 2]) })], measured);
  expect(seconds.get(2)).toEqual([4]);
});

test('a revision that was skipped here counts by the first newer one', () => {
  const { seconds } = reachOf([picture({ a: 0 }, { a: said([10, 1], [34, 3]) })], measured);
  expect(seconds.get(2)).toEqual([14]);
});

test('who said nothing since it came runs nothing that is known, but for the difference of two clocks', () => {
  const running = (second: number) => reachOf([picture({ a: 30 }, { a: said([second, 2]) })], measured).running;
  expect(running(24.9)).toEqual([-1]);
  expect(running(25.1)).toEqual([2]);
});

test('who says nothing, or of a revision that nobody made, has made no progress, and strangers do not count', () => {
  const heard = { b: said([11, 99]), stranger: said([11, 1]) };
  const { running, seconds } = reachOf([picture({ a: 0, b: 0 }, heard)], measured);
  expect(running).toEqual([-1, -1]);
  expect(seconds.get(1)).toEqual([]);
});

test('of what two replicas heard of one, the later counts', () => {
  const pictures = [picture({ a: 0 }, { a: said([12, 2]) }), picture({}, { a: said([11, 3]) })];
  expect(reachOf(pictures, measured).running).toEqual([2]);
  expect(reachOf(pictures.toReversed(), measured).running).toEqual([2]);
});

test('usage is the latest of all', () => {
  const pictures = [picture({}, {}, { x: 5, y: 9 }), picture({}, {}, { x: 7 })];
  expect(reachOf(pictures, measured).evaluatedAt).toEqual(
    new Map([
      ['x', at(7)],
      ['y', at(9)],
    ]),
  );
});

test('a picture comes back as it was, with names of any kind', async () => {
  const names = picture({ __proto__x: 1, 'a/ü "b"': 2 }, { constructor: said([3, 1], [4, 2]) }, { 'rollout/a/b': 9 });
  expect(await decodePicture(await encodePicture(names))).toEqual(names);
});

test('what is no picture is none', async () => {
  const whole = await encodePicture(picture({ a: 1 }, { a: said([3, 1]) }));
  const { gzipSync } = await import('node:zlib');
  const wrong = [
    { streams: [['a', -1]], said: [], evaluatedAt: [] },
    { streams: [], said: [['a', 1, 1, Array.from({ length: 17 }, () => [1, 1])]], evaluatedAt: [] },
    { streams: [], said: [], evaluatedAt: [], more: 1 },
    [],
  ];
  for (const bytes of [whole.subarray(0, 20), Buffer.from('{}'), ...wrong.map((one) => gzipSync(JSON.stringify(one)))])
    expect(await decodePicture(bytes)).toBeUndefined();
  expect(await decodePicture(gzipSync(Buffer.alloc(33 * 1_048_576, ' ')))).toBeUndefined();
});

test.each([
  ['tell', { kind: 'Tell' }],
  ['ruleset 12 shop', { kind: 'Ruleset', revision: 12, flagSetId: 'shop' }],
  ['ruleset -1 shop', undefined],
  ['ruleset 1 shop more', undefined],
  ['ruleset 1 ', undefined],
  ['', undefined],
])('the notice %j is %j', (message, notice) => {
  expect(readNotice(message)).toEqual(notice);
});
