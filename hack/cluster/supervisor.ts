// supervisor.ts HOME: keeps the parts of one local cluster running until it is told to end. Started by `cluster up`,
// ended by `cluster down`. It says what it knows in HOME/run/state.json.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../src/base/backoff.ts';
import { type Part, readPlan } from './parts.ts';
import { identify } from './process-identity.ts';
import { type PartState, stateFile } from './supervisor-state.ts';
import { writeWhole } from './write-whole.ts';

const POLL_MS = 50;
/** kube-apiserver would wait much longer for its watchers, and holds nothing that is lost. */
const STOP_GRACE_MS = 2_000;
/** A part that ran this long was well: its next death counts as the first again. */
const WELL_MS = 30_000;
const LOG_LIMIT_BYTES = 20_000_000;
const restartLimits = { firstMs: 500, maxMs: 15_000 };

const home = process.argv[2] ?? '';
const stopping = new AbortController();
const states = new Map<string, PartState>();
const children = new Map<string, ChildProcess>();
const logDir = join(home, 'logs');
mkdirSync(logDir, { recursive: true });
const self = { ...identify(process.pid), sinceMs: Date.now() };

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());
const parts = readPlan(home);
await Promise.all(parts.map(keep));
await endAll();
note('supervisor', { event: 'ended' });

/** Starts a part, and again after each death, until the end. */
async function keep(part: Part): Promise<void> {
  let deathsInRow = 0;
  let restarts = 0;
  try {
    for (;;) {
      set(part.name, { phase: 'waiting', restarts });
      await untilStartable(part);
      const startedMs = Date.now();
      const child = start(part);
      set(part.name, { phase: 'running', restarts, sinceMs: startedMs, process: identify(child.pid ?? 0) });
      const status = await death(child);
      note(part.name, { event: 'died', status });
      restarts += 1;
      deathsInRow = Date.now() - startedMs > WELL_MS ? 1 : deathsInRow + 1;
      set(part.name, { phase: 'dead', restarts, lastDeath: { status, atMs: Date.now() } });
      await delay(backoffMs(deathsInRow, restartLimits, Math.random), undefined, { signal: stopping.signal });
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
}

function start(part: Part): ChildProcess {
  const file = join(logDir, `${part.name}.log`);
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  const log = openSync(file, 'a');
  const child = spawn(part.command, part.args, { cwd: home, stdio: ['ignore', log, log] });
  closeSync(log);
  children.set(part.name, child);
  note(part.name, { event: 'started', pid: child.pid });
  return child;
}

/** How it ended, in words; a program that cannot even be started has died as well. */
async function death(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'exit', { signal: stopping.signal });
    return signal ?? `status ${code}`;
  } catch (error) {
    if (stopping.signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

async function untilStartable({ after }: Part): Promise<void> {
  for (;;) {
    const listening = await Promise.all(after.listening.map(accepts));
    if (listening.every(Boolean) && after.files.every((file) => existsSync(file))) return;
    await delay(POLL_MS, undefined, { signal: stopping.signal });
  }
}

/** True when something accepts connections at `host:port` or at the path of a Unix socket. */
async function accepts(target: string): Promise<boolean> {
  const [host = '', port] = target.split(':');
  const socket = port === undefined ? connect({ path: target }) : connect({ host, port: Number(port) });
  try {
    await once(socket, 'connect', { signal: stopping.signal });
    return true;
  } catch {
    return false; // asked again
  } finally {
    socket.destroy();
  }
}

/** All but etcd at once; it goes last, so that the others' last words are stored. */
async function endAll(): Promise<void> {
  const names = [...children.keys()];
  await Promise.all(names.filter((name) => name !== 'etcd').map(end));
  await end('etcd');
}

async function end(name: string): Promise<void> {
  const child = children.get(name);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  const [code, signal] = await ended;
  clearTimeout(killer);
  note(name, { event: 'stopped', status: signal ?? `status ${code}` });
}

function set(name: string, state: Omit<PartState, 'name' | 'lastDeath'> & Pick<Partial<PartState>, 'lastDeath'>): void {
  const lastDeath = state.lastDeath ?? states.get(name)?.lastDeath;
  states.set(name, { name, ...state, ...(lastDeath === undefined ? {} : { lastDeath }) });
  const inOrder = parts.flatMap((part) => states.get(part.name) ?? []);
  writeWhole(stateFile(home), JSON.stringify({ supervisor: self, parts: inOrder }));
}

function note(name: string, facts: object): void {
  const line = JSON.stringify({ at: new Date().toISOString(), part: name, ...facts });
  appendFileSync(join(logDir, 'supervisor.log'), `${line}\n`);
}
