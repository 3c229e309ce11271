import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cleanAfter, run } from '../../../hack/process.ts';

const module = join(import.meta.dirname, '..', '..', '..', 'hack', 'process.ts');

/** A script that runs `story` as its child with the signal of its own end, and prints what `run` answers. */
function parentOf(story: string): ChildProcess {
  const script = `
    const { endSignal, run } = await import(${JSON.stringify(module)});
    console.log(await run(process.execPath, ['-e', ${JSON.stringify(story)}], {}, endSignal()));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  return parent;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s to the parent alone ends the story inside, and the parent waits for its end',
  async (signal) => {
    const story = `setInterval(() => {}, 1000);
    process.once('SIGTERM', () => { console.log('story: cleaning'); process.exit(130); });
    console.log('story: on stage');`;
    const parent = parentOf(story);
    const said: string[] = [];
    parent.stdout!.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    await once(parent.stdout!, 'data');
    parent.kill(signal);
    await once(parent, 'close');
    expect(said.join('')).toBe('story: on stage\nstory: cleaning\n130\n');
  },
);

test('what is ended already starts nothing', async () => {
  await expect(run('true', [], {}, AbortSignal.abort(new Error('ended by SIGTERM')))).rejects.toThrow(
    'ended by SIGTERM',
  );
});

test('the error of the work is thrown and that of the cleaning after it only told', async () => {
  const told: string[] = [];
  const failing = cleanAfter(
    () => Promise.reject(new Error('there is no kind')),
    () => Promise.reject(new Error('spawn kind ENOENT')),
    (line) => told.push(line),
  );
  await expect(failing).rejects.toThrow('there is no kind');
  expect(told).toEqual(['cleaning up failed as well: spawn kind ENOENT']);
});

test('cleaning that fails after good work is an error; cleaning is done in either case', async () => {
  const clean = () => Promise.reject(new Error('not cleaned'));
  await expect(
    cleanAfter(
      async () => 1,
      clean,
      () => {},
    ),
  ).rejects.toThrow('not cleaned');
  expect(
    await cleanAfter(
      async () => 1,
      async () => {},
      () => {},
    ),
  ).toBe(1);
});
