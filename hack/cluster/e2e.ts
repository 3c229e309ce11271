import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { cleanAfter } from '../process.ts';
import { addonNames } from './addons.ts';
import { DEFAULT_INSTANCE, enter, holderOf, type Instance, inHome, instanceNamed, kubeconfigOf } from './instance.ts';
import { kindKubeconfig } from './kind.ts';
import { withLock } from './lock.ts';
import { cacheDir, repositoryDir } from './paths.ts';
import { toStderr } from './progress.ts';
import { down, up } from './up.ts';

/** The instance that tests run in. It has a network of its own, so that a demo may run beside it. */
const TEST_INSTANCE = 'test';

type Enter = (command: string, args: readonly string[]) => [string, ...string[]];

/**
 * Brings the cluster for end-to-end tests up (one that is up and whole is used as it is), runs `work` with the way into
 * its network and the environment that tests read, and ends it, unless `SLUICE_KEEP=1`. Two test runs take turns. With
 * the `KUBECONFIG` of somebody else's cluster, that one is used and left alone.
 */
export async function withTestCluster<T>(
  signal: AbortSignal,
  work: (enter: Enter, env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const instance = instanceForTests();
  const onWait = () => toStderr('waiting for another test run, which uses the cluster');
  const end = async () => {
    if (process.env.SLUICE_KEEP !== '1') await down(instance, { wipe: false }, AbortSignal.timeout(120_000), toStderr);
  };
  const begin = async () => {
    const { kubeconfig } = await up(instance, addonNames, signal, toStderr);
    const local = holderOf(instance) !== undefined;
    const env = { SLUICE_E2E_KUBECONFIG: kubeconfig, SLUICE_E2E_INSTANCE: local ? instance.name : '' };
    const inside: Enter = (command, args) => (local ? enter(instance, command, args) : [command, ...args]);
    return work(inside, env);
  };
  return withLock(inHome(instance, 'tests.lock'), onWait, () => cleanAfter(begin, end, toStderr), signal);
}

/** Whoever has exported the `KUBECONFIG` of our own cluster, as the quickstart says, keeps it: tests run beside it. */
export function instanceForTests({ KUBECONFIG }: NodeJS.ProcessEnv = process.env): Instance {
  const standard = instanceNamed(DEFAULT_INSTANCE);
  const isOurs = !KUBECONFIG || [kubeconfigOf(standard), kindKubeconfig(standard)].includes(KUBECONFIG);
  return isOurs ? instanceNamed(TEST_INSTANCE) : standard;
}

/**
 * Builds what the cluster needs in a process of its own while other tests run, at the lowest priority. Its failure is
 * not told: `up` meets it again, and tells.
 */
export function buildAhead(): void {
  if (instanceForTests().name !== TEST_INSTANCE) return;
  mkdirSync(join(cacheDir(), 'logs'), { recursive: true });
  const log = openSync(join(cacheDir(), 'logs', 'build-ahead.log'), 'w');
  const command = ['-n', '19', process.execPath, join(repositoryDir, 'hack', 'cluster.ts'), 'build'];
  const child = spawn('nice', command, { stdio: ['ignore', log, log] });
  closeSync(log);
  process.once('exit', () => child.kill());
}
