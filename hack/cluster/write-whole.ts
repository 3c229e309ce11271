import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces a file in one step: a reader sees the old or the new content, never a part. */
export function writeWhole(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.unfinished`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

/** As `writeWhole`, but leaves an equal file alone: kube-proxy ends, and containerd reloads CNI, when theirs is written. */
export function writeIfChanged(file: string, content: string): void {
  if (readIfThere(file) !== content) writeWhole(file, content);
}

/** The file's text, or `undefined` when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
