import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const FIRST_WORD_MS = 500;
const NEXT_WORD_MS = 30_000;

/**
 * Runs `work` while no other process of this machine holds `file`. The kernel's lock is held by a small child that ends
 * when we end, however that happens: nothing is left behind that someone would have to judge stale. `onWait` is called when
 * another process holds it, and every 30 s as long as it does. `signal` ends the waiting, not the work.
 */
export async function withLock<T>(
  file: string,
  onWait: () => void,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C goes to the group of processes: the lock must outlive it, until we have cleaned up
  });
  const ended = once(holder, 'exit').catch((cause) => {
    throw new Error('no flock (of util-linux) on this machine: a local cluster needs Linux', { cause });
  });
  let timer = setTimeout(function remind() {
    onWait();
    timer = setTimeout(remind, NEXT_WORD_MS);
  }, FIRST_WORD_MS);
  const giveUp = () => void holder.kill();
  signal?.addEventListener('abort', giveUp);
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      ended.then(() => Promise.reject(signal?.reason ?? new Error(`cannot lock ${file}`))),
    ]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
