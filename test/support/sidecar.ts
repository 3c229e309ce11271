import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { expectOfrep, type OfrepAnswer } from './ofrep.ts';

/** A sidecar that runs as a process of its own, on free ports of loopback. */
export interface RunningSidecar {
  readonly process: ChildProcess;
  readonly url: string;
  readonly healthUrl: string;
  /** Undefined unless it was started with `--ext-authz-port`. */
  readonly extAuthzPort: number | undefined;
  /** All that it logged so far. */
  log(): string;
  /** Resolves when a line of the log contains the text; rejects when the process ends before. */
  logged(text: string): Promise<void>;
  /** POST with a JSON body. Answers of OFREP's endpoints are held to its document. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<OfrepAnswer>;
  ready(): Promise<boolean>;
  /** Ends it and answers the exit status, or the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

const ENTRY = 'src/sidecar.ts';
const ANY_PORTS = ['--port', '0', '--health-port', '0'];

/** `wrap` is a command line that runs what follows it. */
export async function startSidecar(args: readonly string[], wrap: readonly string[] = []): Promise<RunningSidecar> {
  const [command = '', ...rest] = [...wrap, process.execPath, ENTRY, ...args, ...ANY_PORTS];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      child.emit('logged');
    });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const logged = async (wanted: string) => {
    while (!text.includes(wanted)) {
      const more = await Promise.race([once(child, 'logged').then(() => true), ended.then(() => false)]);
      if (!more && !text.includes(wanted)) throw new Error(`it ended without "${wanted}": ${text}`);
    }
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [status, by] = await ended;
    return status ?? by;
  };
  onTestFinished(async () => void (await stop('SIGKILL')));
  await logged('"msg":"listening"');
  const [, evaluation, health] = /"evaluation":"([^"]+)","health":"([^"]+)"/.exec(text) ?? [];
  const url = `http://${evaluation}`;
  const healthUrl = `http://${health}`;
  const extAuthzPort = Number(/"extAuthzPort":(\d+)/.exec(text)?.[1]) || undefined;
  return {
    process: child,
    url,
    healthUrl,
    extAuthzPort,
    log: () => text,
    logged,
    stop,
    ready: async () => (await fetch(`${healthUrl}/readyz`)).ok,
    post: (path, body, headers = {}) => post(url, path, JSON.stringify(body), headers),
  };
}

/** The same with a body that is sent as it is. */
export async function post(
  url: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<OfrepAnswer> {
  const all = { 'content-type': 'application/json', ...headers };
  const response = await fetch(`${url}${path}`, { method: 'POST', body, headers: all });
  const text = await response.text();
  const answer = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' ? undefined : JSON.parse(text),
  };
  if (path.startsWith('/ofrep/')) expectOfrep(path, answer);
  return answer;
}

/** Resolves when `isSo` answers true; the test's own timeout ends it. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
