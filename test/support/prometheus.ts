import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureBinary } from '../../hack/cluster/binaries.ts';

/** A real Prometheus on loopback. */
export interface RealPrometheus {
  readonly port: number;
  /** Stops all its threads, and answers when they stand still; connections stay open. */
  freeze(): Promise<void>;
  thaw(): void;
  kill(): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

/** For hooks that start one: a machine that has not got it yet builds it first. */
export const PROMETHEUS_START_TIMEOUT_MS = 1_200_000;

/** Starts it with `config` (and the files `webConfig`, for TLS and passwords) in its own folder; it may not listen yet. */
export async function startPrometheus(
  config: object,
  signal: AbortSignal,
  webConfig?: Readonly<Record<string, string>>,
): Promise<RealPrometheus> {
  const binary = join(await ensureBinary('prometheus', signal), 'prometheus');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));
  const port = await freePort();
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  for (const [name, content] of Object.entries(webConfig ?? {})) writeFileSync(join(folder, name), content);
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...(webConfig ? [`--web.config.file=${join(folder, 'web.yml')}`] : []),
    ],
    { stdio: 'ignore' },
  );
  const ended = endOf(child);
  const kill = () => {
    child.kill('SIGKILL');
    return ended;
  };
  return {
    port,
    freeze: async () => {
      child.kill('SIGSTOP');
      while (!allStopped(child.pid ?? 0)) await wait(5);
    },
    thaw: () => void child.kill('SIGCONT'),
    kill,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

function allStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  // "pid (name) state ...", and the name may hold anything but a line end.
  return readdirSync(tasks).every((id) => /\) T /.test(readFileSync(join(tasks, id, 'stat'), 'utf8')));
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve());
  });
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
