import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../build.ts';
import { cacheDir, repositoryDir } from '../../cluster/paths.ts';
import { nodeEnv } from '../../image/node-image.ts';
import { Child } from '../rollback/child.ts';
import { freePorts } from '../rollback/free-ports.ts';
import { FLAG_COUNT, flagdFlags, sluiceFlags } from './flags.ts';

export const FLAGD_VERSION = '0.16.1';

/** A server under test, pinned to one core. */
export interface Server {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly child: Child;
  readonly settings: Readonly<Record<string, string>>;
}

export interface Place {
  /** For flags and logs. */
  readonly dir: string;
  readonly core: number;
  readonly signal: AbortSignal;
}

/** The sidecar's bundle in local mode, with the Node options of the image. */
export async function startOurs({ dir, core, signal }: Place, profileDir: string | undefined): Promise<Server> {
  const program = await bundle('sidecar');
  const file = join(dir, 'flags.yaml');
  writeFileSync(file, sluiceFlags());
  const [port = 0, health = 0] = await freePorts(2);
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const ports = ['--port', `${port}`, '--health-port', `${health}`];
  const args = [...profile, program, '--file', file, ...ports, '--log-level', 'warn'];
  const child = await Child.start('taskset', ['-c', `${core}`, process.execPath, ...args], {
    env: nodeEnv,
    logFile: join(dir, 'sluice.log'),
    isReady: async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok,
    readyWithinMs: 30_000,
    signal,
  });
  const { version } = JSON.parse(readFileSync(join(repositoryDir, 'package.json'), 'utf8')) as { version: string };
  return { name: 'Sluice', version, url: `http://127.0.0.1:${port}`, child, settings: nodeEnv };
}

/** Where docs/benchmarks-peers.md has flagd built. */
export const flagdPath = (): string => join(cacheDir(), 'peers', `flagd-${FLAGD_VERSION}`, 'flagd');

/** flagd with its defaults, and no more threads than its core. Throws when it was not built. */
export async function startFlagd({ dir, core, signal }: Place, binary: string): Promise<Server> {
  if (!existsSync(binary)) throw new Error(`there is no ${binary}: docs/benchmarks-peers.md says how it is built`);
  const file = join(dir, 'flagd.json');
  writeFileSync(file, flagdFlags());
  const [ofrep = 0, management = 0, evaluation = 0, sync = 0] = await freePorts(4);
  const ports = [
    `--ofrep-port=${ofrep}`,
    `--management-port=${management}`,
    `--port=${evaluation}`,
    `--sync-port=${sync}`,
  ];
  const args = ['-c', `${core}`, binary, 'start', `--uri=file:${file}`, ...ports];
  const env = { GOMAXPROCS: '1' };
  const child = await Child.start('taskset', args, {
    env,
    logFile: join(dir, 'flagd.log'),
    isReady: async () => (await fetch(`http://127.0.0.1:${management}/readyz`)).ok,
    readyWithinMs: 30_000,
    signal,
  });
  return { name: 'flagd', version: FLAGD_VERSION, url: `http://127.0.0.1:${ofrep}`, child, settings: env };
}

/** Both must answer all flags, and serve `on` to one of three alike, or they do not do the same work. Throws where they do not. */
export async function expectSameWork(servers: readonly Server[], bodies: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  for (const { name, url } of servers) {
    let [on, all] = [0, 0];
    for (const body of bodies) {
      const response = await fetch(`${url}/ofrep/v1/evaluate/flags`, { method: 'POST', headers, body });
      const { flags } = (await response.json()) as { flags: { value: unknown }[] };
      on += flags.filter(({ value }) => value === true).length;
      all += flags.length;
    }
    const isMeant = all === FLAG_COUNT * bodies.length && Math.abs(on / all - 1 / 3) < 0.02;
    if (!isMeant) throw new Error(`${name} answers ${on} of ${all} flags with on, a third of ${FLAG_COUNT} was meant`);
  }
}

/** Megabytes (10^6): all that is resident, shared files included, and what is the process's own. */
export function memoryMb(pid: number): { readonly residentMb: number; readonly anonymousMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) =>
    Math.round((Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6);
  return { residentMb: read('VmRSS'), anonymousMb: read('RssAnon') };
}
