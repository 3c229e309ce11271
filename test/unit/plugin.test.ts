import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

// The program itself, with a command that needs no cluster and whose status says something: 1 for the problem that is found.
const PROBLEM = 'apiVersion: sluice.dev/v1alpha1\nkind: Experimint\n';
const start = (stdout: 'pipe' | number, stderr: 'pipe' | number = 'pipe') =>
  spawn(process.execPath, ['src/plugin.ts', 'lint', '-f', '-'], { stdio: ['pipe', stdout, stderr] });

test('a reader that went away ends it as a broken pipe does, not with a status that says something', async () => {
  const child = start('pipe');
  child.stdout?.destroy();
  await once(child.stdout ?? child, 'close');
  child.stdin?.end(PROBLEM);
  expect(await once(child, 'exit')).toEqual([141, null]);
});

test('an answer that finds no room is a failure of the command', async () => {
  const child = start(openSync('/dev/full', 'w'));
  child.stdin?.end(PROBLEM);
  const [[status], told] = await Promise.all([once(child, 'exit'), text(child.stderr ?? process.stdin)]);
  expect([status, told]).toEqual([5, expect.stringMatching(/^error: SLUICE_CLI_OUTPUT: .*ENOSPC/m)]);
});

test('what nobody reads on standard error changes nothing', async () => {
  const child = start('pipe', 'pipe');
  child.stderr?.destroy();
  await once(child.stderr ?? child, 'close');
  child.stdin?.end(PROBLEM);
  const [[status], told] = await Promise.all([once(child, 'exit'), text(child.stdout ?? process.stdin)]);
  expect([status, told]).toEqual([1, expect.stringContaining('kind must be')]);
});
