import { readFile, stat } from 'node:fs/promises';
import { type Clock, sleep } from '../base/clock.ts';
import { MAX_SNAPSHOT_BYTES } from '../wire/snapshot.ts';
import { type KeyRing, openSnapshot, type RulesetSource, type TrustedKeys } from './source.ts';

/** Room for another version of gzip. */
const MAX_FILE_BYTES = 2 * MAX_SNAPSHOT_BYTES;

/**
 * The ruleset of the ConfigMap that is mounted into the pod. It may be absent, and appear or change later; what it says is
 * never taken for the newest, because the kubelet brings changes late.
 */
export function snapshotFile(
  path: string,
  { clock, keys, pollMs }: { readonly clock: Clock; readonly keys: KeyRing | undefined; readonly pollMs: number },
): RulesetSource {
  return {
    run: async (tell, signal) => {
      let seen: string | undefined;
      while (!signal.aborted) {
        const sign = await signOf(path);
        if (sign !== seen) {
          seen = sign;
          const opened = sign === undefined ? undefined : await open(path, keys?.());
          if (opened) tell('kind' in opened ? opened : { kind: 'Ruleset', snapshot: opened, live: false });
        }
        await sleep(clock, pollMs, signal).catch(() => {}); // the loop's condition ends it
      }
    },
  };
}

/** Changes whenever the file does; undefined while there is none. */
async function signOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : undefined;
}

async function open(path: string, keys: TrustedKeys | undefined) {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > MAX_FILE_BYTES) {
    const message = `${path} is larger than ${MAX_FILE_BYTES} bytes`;
    return { kind: 'Refused', code: 'SLUICE_RULESET_TOO_LARGE', message } as const;
  }
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && openSnapshot(bytes, keys);
}
