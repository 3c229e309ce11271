import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createGroup, groupProcesses, joinFile, removeGroup } from '../../../hack/cluster/cgroup.ts';
import { instanceNamed } from '../../../hack/cluster/instance.ts';
import { downLocal } from '../../../hack/cluster/local.ts';

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  '"down" ends what runs although somebody has removed the cache with its files',
  async ({ signal }) => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-down-'));
    const { SLUICE_CLUSTER_HOME: before } = process.env;
    process.env.SLUICE_CLUSTER_HOME = root;
    const instance = instanceNamed('orphaned');
    if (before === undefined) delete process.env.SLUICE_CLUSTER_HOME;
    else process.env.SLUICE_CLUSTER_HOME = before;
    createGroup(instance.group);
    const script = 'echo $$ > "$1"; echo joined; exec sleep 1000';
    const part = spawn('sh', ['-ec', script, 'part', joinFile(instance.group)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      part.kill('SIGKILL');
      await removeGroup(instance.group);
      rmSync(root, { recursive: true, force: true });
    });
    await once(part.stdout, 'data');
    expect(groupProcesses(instance.group)).toEqual([part.pid]);

    await downLocal(instance, { wipe: false }, signal, () => {});
    expect(groupProcesses(instance.group)).toEqual([]);
    rmSync(instance.home, { recursive: true });
    await downLocal(instance, { wipe: false }, signal, () => {});
    expect(existsSync(instance.home)).toBe(false);
  },
);
