import { expect, test } from 'vitest';
import { Load } from '../../../src/evaluator/load.ts';

const limits = { requests: 3, bodyBytes: 250, largestBodyBytes: 100 };

test('requests beyond the number are refused until one is over', () => {
  const load = new Load(limits);
  const [first] = [load.enter('0'), load.enter('0'), load.enter('0')];
  expect([load.enter('0'), load.refused]).toEqual([undefined, 1]);
  first?.();
  first?.(); // a request ends once
  expect(load.enter('0')).toBeDefined();
  expect(load.enter('0')).toBeUndefined();
});

test.each(['100', undefined, 'x', '1e999', '99999999'])('a body of length %s counts as the largest', (length) => {
  const load = new Load(limits);
  expect([load.enter(length), load.enter(length), load.enter(length)].map((leave) => leave !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
});

test('a length below nothing makes no room', () => {
  const load = new Load(limits);
  load.enter('-1000');
  load.enter('100');
  load.enter('100');
  expect(load.enter('100')).toBeUndefined();
});
