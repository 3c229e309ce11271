import { expect, test } from 'vitest';
import { reasonOf } from '../../../src/kube/reason.ts';

const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`);

test.each([
  [
    'the first of several tries',
    new AggregateError([refused('::1:6443'), refused('127.0.0.1:6443')]),
    refused('::1:6443').message,
  ],
  ['only the first line', new Error('\ntoken expired\nrun login again\n'), 'token expired'],
  ['what is no Error', 'closed', 'closed'],
  ['nothing', new Error(''), 'no explanation'],
])('a reason is %s', (_, cause, reason) => {
  expect(reasonOf(cause)).toBe(reason);
});

test('a reason quotes nothing that was read as JSON, and is bounded', () => {
  let cause: unknown;
  try {
    JSON.parse('secret-token');
  } catch (error) {
    cause = error;
  }
  expect(reasonOf(cause)).not.toContain('secret');
  expect(reasonOf(new Error('x'.repeat(10_000)))).toHaveLength(200);
});
