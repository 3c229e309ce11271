import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

test.each(['demo', 'test', 'test:e2e'])(
  'SIGTERM to "npm run %s" gets to the script, which may have a cluster to end',
  async (name) => {
    const dir = makeTree();
    await runIn(dir);
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ scripts }));
    const story = [
      '#!/bin/sh',
      "trap 'echo cleaned up; exit 130' TERM",
      'echo on stage',
      'while :; do sleep 0.1; done',
      '',
    ];
    writeFileSync(join(dir, 'node_modules/.bin/node'), story.join('\n'));
    const npm = spawn('npm', ['run', '-s', name], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    onTestFinished(() => endGroup(npm.pid!));
    const said: string[] = [];
    npm.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    await once(npm.stdout, 'data');
    npm.kill('SIGTERM');
    await once(npm, 'close');
    expect(said.join('')).toBe('on stage\ncleaned up\n');
  },
);

/** Ends what a killed npm would leave behind. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
