import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { output } from '../../../hack/cluster/command.ts';

/** A work tree with run.sh, one task, and an npm that notes each install, takes a moment, and fails where `broken` exists. */
function makeTree(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-run-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
    chmodSync(join(dir, path), mode);
  };
  mkdirSync(join(dir, 'hack'));
  copyFileSync('hack/run.sh', join(dir, 'hack/run.sh'));
  write('hack/hello.ts', '');
  write('package.json', '{}');
  write('package-lock.json', '{}');
  write('node', '#!/bin/sh\necho ran "$@"\n', 0o755);
  const npm = ['#!/bin/sh', 'echo install >> installs', 'mkdir -p node_modules/.bin', 'cp node node_modules/.bin/node'];
  write('bin/npm', [...npm, 'if [ -e broken ]; then exit 1; fi', 'sleep 0.5', ''].join('\n'), 0o755);
  return dir;
}

const runIn = (dir: string) =>
  output('bash', [join(dir, 'hack/run.sh'), 'hello'], { env: { PATH: `${dir}/bin:${process.env.PATH}` } });
const installsIn = (dir: string) => readFileSync(join(dir, 'installs'), 'utf8').trim().split('\n').length;

test('two first runs at once install once, and both go on', async () => {
  const dir = makeTree();
  expect(await Promise.all([runIn(dir), runIn(dir)])).toEqual(['ran hack/hello.ts\n', 'ran hack/hello.ts\n']);
  expect(installsIn(dir)).toBe(1);
  await runIn(dir);
  expect(installsIn(dir)).toBe(1);
});

test('an install that fails half way is not taken for a whole one, though the lock file is the one of an earlier success', async () => {
  const dir = makeTree();
  await runIn(dir);
  rmSync(join(dir, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(dir, 'broken'), '');
  await expect(runIn(dir)).rejects.toThrow('ended with 1');
  expect(existsSync(join(dir, 'node_modules/.bin/node'))).toBe(true);
  rmSync(join(dir, 'broken'));
  await runIn(dir);
  expect(installsIn(dir)).toBe(3);
});
