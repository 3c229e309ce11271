import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { SluiceError } from '../base/errors.ts';
import { keyIdOf } from '../wire/sealed-ruleset.ts';
import type { KeyRing } from './source.ts';

const MAX_KEY_BYTES = 16_384;

/**
 * Public keys in PEM files, one each; undefined without files. They are read whenever a ruleset is judged, which is seldom: a mounted
 * file may come after the process, or change. Throws SLUICE_SIDECAR_ARGUMENT for a file that holds no key now; what cannot be read
 * later is trusted no more.
 */
export function keyFiles(paths: readonly string[]): KeyRing | undefined {
  if (paths.length === 0) return undefined;
  for (const path of paths) keyIn(path);
  return () => new Map(paths.flatMap((path) => keyOrNone(path)));
}

/** The key in a file by its id; none where there is no file yet. */
function keyIn(path: string): [string, KeyObject][] {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return [];
    if (found.size > MAX_KEY_BYTES) throw new Error(`it is larger than ${MAX_KEY_BYTES} bytes`);
    const key = createPublicKey(readFileSync(path));
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
    return [[keyIdOf(key), key]];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_SIDECAR_ARGUMENT', `--public-key ${path}: ${why}`, {}, cause);
  }
}

function keyOrNone(path: string): [string, KeyObject][] {
  try {
    return keyIn(path);
  } catch {
    return []; // the ruleset is refused, which is told
  }
}
