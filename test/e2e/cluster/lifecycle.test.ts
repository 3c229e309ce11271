import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { groupProcesses } from '../../../hack/cluster/cgroup.ts';
import { lines, output } from '../../../hack/cluster/command.ts';
import { type Instance, instanceNamed } from '../../../hack/cluster/instance.ts';
import { kubectl } from '../../../hack/cluster/kubectl.ts';
import { clusterOf, downLocal, upLocal } from '../../../hack/cluster/local.ts';
import { isRunning, supervisorState } from '../../../hack/cluster/supervisor-state.ts';
import { waitFor } from '../../../hack/cluster/wait.ts';

const cli = join(import.meta.dirname, '..', '..', '..', 'hack', 'cluster.ts');
const silent = () => {};
const homes = mkdtempSync(join(tmpdir(), 'sluice-instances-'));
const isLocal = () => inject('clusterInstance') !== '';

// Instances of these tests are thrown away; those of the developer stay out of it.
const { SLUICE_CLUSTER_HOME: homeBefore } = process.env;
beforeAll(() => {
  process.env.SLUICE_CLUSTER_HOME = homes;
});
afterAll(() => {
  if (homeBefore === undefined) delete process.env.SLUICE_CLUSTER_HOME;
  else process.env.SLUICE_CLUSTER_HOME = homeBefore;
  rmSync(homes, { recursive: true, force: true });
});

function throwAway(name: string): Instance {
  const instance = instanceNamed(name);
  onTestFinished(() => downLocal(instance, { wipe: true }, AbortSignal.timeout(60_000), silent));
  return instance;
}

function part(instance: Instance, name: string) {
  return supervisorState(instance.home)?.parts.find((one) => one.name === name);
}

test('a part that is killed is noticed and comes back, and the cluster with it', async ({ signal, skip }) => {
  if (!isLocal()) skip();
  const instance = throwAway('wounded');
  const { cluster } = await upLocal(instance, signal, silent);
  for (const name of ['kube-apiserver', 'kubelet']) {
    const before = part(instance, name);
    process.kill(before?.process?.pid ?? 0, 'SIGKILL');
    const back = async () => {
      const now = part(instance, name);
      return now !== undefined && isRunning(now) && now.restarts === (before?.restarts ?? 0) + 1 && now;
    };
    const after = await waitFor(back, { what: `${name} coming back`, timeoutMs: 30_000, signal });
    expect(after.lastDeath?.status).toBe('SIGKILL');
  }
  const ready = () => kubectl(cluster, ['get', '--raw=/readyz'], signal);
  await waitFor(ready, { what: 'the API server answering again', timeoutMs: 60_000, signal });
});

test('after a crash of everything, "up" brings the same cluster back', async ({ signal, skip }) => {
  if (!isLocal()) skip();
  const instance = throwAway('crashed');
  const { cluster } = await upLocal(instance, signal, silent);
  await kubectl(cluster, ['create', 'namespace', 'kept'], signal);
  for (const pid of groupProcesses(instance.group)) process.kill(pid, 'SIGKILL');
  await waitFor(async () => groupProcesses(instance.group).length === 0, {
    what: 'the crash',
    timeoutMs: 10_000,
    signal,
  });
  await expect(output(process.execPath, [cli, 'status', '--instance', 'crashed'])).rejects.toThrow('ended with 3');

  const again = await upLocal(instance, signal, silent);
  expect(await kubectl(again.cluster, ['get', 'namespace', 'kept', '-o', 'name'], signal)).toBe('namespace/kept\n');
});

test('two instances live side by side with the same addresses, and one ends without the other', async ({
  signal,
  skip,
}) => {
  if (!isLocal()) skip();
  const [left, right] = [throwAway('left'), throwAway('right')];
  const [one, other] = await Promise.all([upLocal(left, signal, silent), upLocal(right, signal, silent)]);
  await kubectl(one.cluster, ['create', 'namespace', 'only-left'], signal);
  await expect(kubectl(other.cluster, ['get', 'namespace', 'only-left'], signal)).rejects.toThrow('not found');

  await downLocal(right, { wipe: true }, signal, silent);
  expect(await kubectl(clusterOf(left), ['get', 'nodes', '-o', 'name'], signal)).toBe('node/node1\n');
  expect(supervisorState(left.home)?.parts.filter((one) => !isRunning(one))).toEqual([]);
});

test('"down" leaves no process, mount, link, address, rule, setting or control group on the machine', async ({
  skip,
}) => {
  if (!isLocal()) skip();
  // The default instance uses the machine's own network. This one's machine is a pair of namespaces made for the test.
  const machine = await makeMachine();
  const home = join(homes, 'machine');
  const env = { SLUICE_CLUSTER_HOME: home, SLUICE_PROVIDER: 'local', KUBECONFIG: '' };
  const cluster = (...args: string[]) => machine(process.execPath, [cli, ...args], env);
  const before = await traces(machine, home);

  await cluster('up', '--addons', 'none');
  const during = await traces(machine, home);
  for (const [kind, found] of Object.entries(during)) expect([kind, found]).not.toEqual([kind, before[kind]]);

  await cluster('down');
  expect(await traces(machine, home)).toEqual(before);
});

type Machine = (command: string, args: readonly string[], env?: Record<string, string>) => Promise<string>;

/** Answers how to run a command on a "machine": network and mounts of its own. */
async function makeMachine(): Promise<Machine> {
  const init = spawn(
    'unshare',
    ['--mount', '--net', 'sh', '-c', 'ip link set lo up; echo ready; exec sleep infinity'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void init.kill('SIGKILL'));
  await once(init.stdout, 'data');
  const enter = [`--target=${init.pid}`, '--mount', '--net', '--', 'env', `--chdir=${process.cwd()}`];
  return (command, args, env = {}) => output('nsenter', [...enter, command, ...args], { env });
}

/** Where the module of the bridges' filter is not loaded there is no such setting, and no packet is filtered. */
const settings = `cd /proc/sys/net && cat ipv4/ip_forward ipv4/conf/all/route_localnet
for name in arptables ip6tables iptables; do cat bridge/bridge-nf-call-$name 2>/dev/null || echo 0; done`;

/** Everything that a cluster could leave behind, by kind. */
async function traces(machine: Machine, home: string): Promise<Record<string, unknown>> {
  const rules = async (family: string) => {
    const tables = await Promise.all(['filter', 'nat', 'mangle'].map((table) => machine(family, ['-t', table, '-S'])));
    return tables.flatMap((text) => text.split('\n')).filter((line) => !line.startsWith('-P') && line !== '');
  };
  return {
    links: await machine('ip', ['-brief', 'address']),
    routes: await machine('ip', ['route']),
    rules: await rules('iptables'),
    rules6: await rules('ip6tables'),
    settings: await machine('sh', ['-c', settings]),
    processes: commandLines().filter((line) => line.includes(home)),
    groups: (await lines('find', ['/sys/fs/cgroup', '-name', 'sluice-default-*'])).sort(),
    mounts: allMounts().filter((line) => line.includes(home)),
  };
}

const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

function commandLines(): string[] {
  return processes().map((pid) => readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));
}

/** Mounts as any process on the machine sees them: a namespace that is left behind shows here too. */
function allMounts(): string[] {
  return [...new Set(processes().flatMap((pid) => readOr(`/proc/${pid}/mounts`).split('\n')))];
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
