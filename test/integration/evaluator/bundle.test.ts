import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bundle } from '../../../hack/build.ts';

test('the bundle that the package names as sluice-sidecar runs by itself and explains its options', async () => {
  const path = await bundle('sidecar');
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(path.endsWith(`/${bin['sluice-sidecar']}`)).toBe(true);
  expect(readFileSync(path, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  const { status, stdout } = spawnSync(process.execPath, [path, '--help'], { encoding: 'utf8', timeout: 30_000 });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^usage: sluice-sidecar --file PATH/)]);
});
