import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { binaryDir } from '../../../hack/cluster/binaries.ts';
import { shellLines } from '../../../hack/cluster/shell-lines.ts';

test('a shell takes the lines as they are, whatever is in the paths, and finds our programs before others', () => {
  const { SLUICE_CACHE: before } = process.env;
  onTestFinished(() => {
    if (before === undefined) delete process.env.SLUICE_CACHE;
    else process.env.SLUICE_CACHE = before;
  });
  process.env.SLUICE_CACHE = "/a cache's/$(place)";
  const script = `eval "$1"; printf '%s\n' "$KUBECONFIG" "$PATH"`;
  const said = execFileSync('/bin/sh', ['-ec', script, 'shell', shellLines('/some "file"')], {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  });
  expect(said.split('\n')).toEqual(['/some "file"', `${binaryDir('k1s')}:${binaryDir('helm')}:/usr/bin:/bin`, '']);
});
