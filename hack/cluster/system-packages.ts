import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { output, runLogged, succeeds } from './command.ts';
import { withLock } from './lock.ts';
import { cacheDir } from './paths.ts';
import { type Report, withProgress } from './progress.ts';
import { versions } from './versions.ts';

/** Debian package → how to see that it is there. */
type Packages = Readonly<Record<string, (signal: AbortSignal) => Promise<boolean>>>;

/** What tests in a browser take from the distribution. */
export const browserPackages: Packages = { chromium: has('chromium') };

/** What a local cluster takes from it. */
const clusterPackages: Packages = {
  containerd: has('containerd'),
  runc: has('runc'),
  'containernetworking-plugins': async () => existsSync('/usr/lib/cni/bridge'),
  iptables: has('iptables'),
  conntrack: has('conntrack'),
  iproute2: has('ip'),
  kmod: has('modprobe'),
  openssl: has('openssl'),
  'python3-pip': (signal) => succeeds('python3', ['-m', 'pip', '--version'], { signal }),
};

/**
 * The package redis-server would start a server of its own on the machine; its program is in this one, under another name: start
 * `redis-check-rdb` with the name `redis-server`.
 */
export const redisPackages: Packages = { 'redis-tools': has('redis-check-rdb') };

/** Installs what is missing, unattended. Says so when this machine is none that it can install on. */
export async function ensureSystemPackages(signal: AbortSignal, report: Report): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('a local cluster needs root: it makes namespaces and mounts');
  await ensurePackages(clusterPackages, signal, report);
  await ensureGo(signal);
}

async function ensureGo(signal: AbortSignal): Promise<void> {
  if (!(await has('go')(signal)))
    throw new Error(
      `no Go on this machine: install Go ${versions.go} or later (Kubernetes is built with it) and try again`,
    );
  const problem = goProblem(await output('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { signal }));
  if (problem !== undefined) throw new Error(problem);
}

/**
 * From what `go env GOVERSION GOTOOLCHAIN` says, why the parts cannot be built; `undefined` when they can. A Go that may fetch
 * a newer one, as it does by default, is as good.
 */
export function goProblem(said: string): string | undefined {
  const [version = '', toolchain = ''] = said.split('\n');
  if (!isOlder(version, versions.go) || /(^|\+)(auto|path)$/.test(toolchain)) return undefined;
  return `${version} on this machine is too old, and GOTOOLCHAIN=${toolchain} keeps it from fetching another: install Go ${versions.go} or later, or set GOTOOLCHAIN=auto`;
}

/** True for "go1.26.6", "go1.26rc1" or "go1.25.1-X:exp" beside "1.26.7". Nobody knows about what has no number. */
function isOlder(version: string, wanted: string): boolean {
  const found = /go(\d+)\.(\d+)(?:\.(\d+))?/
    .exec(version)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  const numbers = wanted.split('.').map(Number);
  const at = numbers.findIndex((number, index) => number !== found?.[index]);
  return found !== undefined && at >= 0 && (found[at] ?? 0) < (numbers[at] ?? 0);
}

/** The same for any packages. Installing takes root. */
export async function ensurePackages(packages: Packages, signal: AbortSignal, report: Report): Promise<void> {
  const missing = await missingPackages(packages, signal);
  if (missing.length === 0) return;
  await withLock(
    join(cacheDir(), 'locks', 'apt.lock'),
    () => {},
    () => install(packages, signal, report),
    signal,
  );
}

async function install(packages: Packages, signal: AbortSignal, report: Report): Promise<void> {
  const missing = await missingPackages(packages, signal);
  if (missing.length === 0) return; // another process was faster
  if (!(await has('apt-get')(signal))) {
    throw new Error(`this machine lacks ${missing.join(', ')} (Debian's names), and has no apt-get to install them`);
  }
  const logFile = join(cacheDir(), 'logs', 'apt.log');
  mkdirSync(join(cacheDir(), 'logs'), { recursive: true });
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, signal };
  const apt = (...args: string[]) => runLogged(logFile, 'apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], options);
  await withProgress(report, `installing ${missing.join(', ')}`, 15, async () => {
    await apt('update', '-q');
    await apt('install', '-q', '-y', '--no-install-recommends', ...missing);
  });
}

async function missingPackages(packages: Packages, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for (const [name, isThere] of Object.entries(packages)) if (!(await isThere(signal))) names.push(name);
  return names;
}

function has(command: string): (signal: AbortSignal) => Promise<boolean> {
  return (signal) => succeeds('sh', ['-c', `command -v ${command}`], { signal });
}
