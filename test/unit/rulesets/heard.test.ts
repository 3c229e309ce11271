import { expect, test } from 'vitest';
import type { EpochMs } from '../../../src/base/units.ts';
import { Heard } from '../../../src/rulesets/heard.ts';

const at = (minutes: number): EpochMs => (minutes * 60_000) as EpochMs;
const nobody = () => false;

test('when a revision was first heard stays, and what runs is what was said last', () => {
  const heard = new Heard(10);
  expect([heard.hear('a', 1, at(1)), heard.hear('a', 1, at(2)), heard.hear('a', 3, at(3))]).toEqual([
    true,
    false,
    true,
  ]);
  expect(heard.hear('a', 2, at(4))).toBe(true);
  const runs = [
    { revision: 1, at: at(1) },
    { revision: 3, at: at(3) },
  ];
  expect(heard.said(at(4), nobody).get('a')).toEqual({ at: at(4), running: 2, runs });
});

test('of many revisions the last 16 are kept', () => {
  const heard = new Heard(10);
  for (let revision = 1; revision <= 40; revision++) heard.hear('a', revision, at(1));
  const { runs } = heard.said(at(1), nobody).get('a')!;
  expect(runs.map(({ revision }) => revision)).toEqual(Array.from({ length: 16 }, (_, index) => 25 + index));
});

test('who is silent for 10 minutes is forgotten, unless it listens here', () => {
  const heard = new Heard(10);
  for (const id of ['gone', 'here', 'new']) heard.hear(id, 1, at(id === 'new' ? 5 : 0));
  expect([...heard.said(at(9.9), nobody).keys()]).toEqual(['gone', 'here', 'new']);
  expect([...heard.said(at(10), (id) => id === 'here').keys()]).toEqual(['here', 'new']);
});

test('of too many, the one that was silent for longest makes way', () => {
  const heard = new Heard(2);
  for (const [minute, id] of ['a', 'b', 'a', 'c'].entries()) heard.hear(id, 1, at(minute));
  expect([...heard.said(at(4), nobody).keys()]).toEqual(['a', 'c']);
});
