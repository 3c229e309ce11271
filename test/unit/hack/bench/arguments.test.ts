import { expect, test } from 'vitest';
import { readBenchArguments } from '../../../../hack/bench/harness/arguments.ts';

const files = ['/repository/test/bench/reconcile.ts', '/repository/hack/bench/stats.ts'];

test('a name runs its file with the arguments after it', () => {
  const expected = { kind: 'Run', file: '/repository/hack/bench/stats.ts', args: ['--help', 'x'] };
  expect(readBenchArguments(['stats', '--help', 'x'], files)).toEqual(expected);
});

test.each(['--help', '-h'])('%s lists the benchmarks', (flag) => {
  const request = readBenchArguments([flag], files);
  expect(request).toMatchObject({ kind: 'Help', text: expect.stringContaining('benchmarks: reconcile, stats') });
});

test.each([['../stats'], ['statistics'], ['']])(
  'the unknown name "%s" is a mistake that lists the known ones',
  (name) => {
    const request = readBenchArguments([name], files);
    expect(request).toMatchObject({ kind: 'Mistake', text: expect.stringContaining(`no benchmark "${name}"`) });
    expect(request).toMatchObject({ text: expect.stringContaining('reconcile, stats') });
  },
);

test('no name is a mistake', () => {
  expect(readBenchArguments([], files)).toMatchObject({ kind: 'Mistake' });
});
