import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * A tab of a Chromium of its own. Playwright keeps every page visible, whatever stands before it; here another tab hides it,
 * as it does for people.
 */
export interface RealTab {
  /** The value of an expression in the page; a promise is waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** Opens another tab before it. */
  hide(): Promise<void>;
  show(): Promise<void>;
}

type Answer = Readonly<Record<string, unknown>>;

export async function openRealTab(url: string): Promise<RealTab> {
  const profile = mkdtempSync(join(tmpdir(), 'sluice-chromium-'));
  const args = ['--headless=new', '--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${profile}`, url];
  const child = spawn('/usr/bin/chromium', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, maxRetries: 10 }); // its helpers end a moment later
  });
  let said = '';
  const address = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const [, found] = /listening on (ws:\S+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.on('close', () => reject(new Error(`chromium ended: ${said}`)));
  });
  const send = await protocolOf(address);
  const { targetInfos } = (await send('Target.getTargets')) as { targetInfos: { type: string; targetId: string }[] };
  const own = targetInfos.find(({ type }) => type === 'page')?.targetId;
  const { sessionId } = await send('Target.attachToTarget', { targetId: own, flatten: true });
  return {
    async evaluate(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await send('Runtime.evaluate', params, String(sessionId));
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    },
    async hide() {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
      await send('Target.activateTarget', { targetId });
    },
    show: async () => void (await send('Target.activateTarget', { targetId: own })),
  };
}

type Send = (method: string, params?: object, sessionId?: string) => Promise<Answer>;

/** Chromium's own protocol, request by request. */
async function protocolOf(address: string): Promise<Send> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    waiting.get(id)?.(error ? { exceptionDetails: error } : result);
    waiting.delete(id);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no connection to ${address}`)));
  });
  onTestFinished(() => socket.close());
  return (method, params = {}, sessionId) => {
    const id = ++lastId;
    socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}
