import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `work` while no other process of this machine holds `file`. The kernel's lock is held by a small child that ends
 * when we end, however that happens: nothing is left behind that someone would have to judge stale.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  const soon = setTimeout(onWait, 500);
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      ended.then(() => Promise.reject(new Error(`cannot lock ${file}`))),
    ]);
  } finally {
    clearTimeout(soon);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
