import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { LIMITS } from '../wire/limits.ts';
import { type News, openSnapshot, type TrustedKeys } from './source.ts';

const FILE = 'last-good';
const HEAD = /^sluice\.last-good\/v1 ([0-9a-f]{64}) ([0-9]{1,9})\n/;
const MAX_HEAD_BYTES = 128;

const checksum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Keeps the snapshot in `folder`. At every moment, also after a kill or a full disk, there is either the one before or the
 * new one, whole. Throws SLUICE_LAST_GOOD_NOT_WRITTEN; the one before is still there then.
 */
export async function writeLastGood(folder: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, FILE);
  const beside = `${path}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(`sluice.last-good/v1 ${checksum(bytes)} ${bytes.length}\n`);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {}); // what is left of it is overwritten the next time
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_LAST_GOOD_NOT_WRITTEN', `cannot keep the ruleset in ${folder}: ${why}`, {}, cause);
  }
}

/** Without it a power cut may undo the renaming. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What was kept, or why it is refused whole; undefined where nothing was. Never throws. */
export async function readLastGood(
  folder: string,
  keys?: TrustedKeys,
): Promise<Exclude<News, { kind: 'Confirmed' }> | undefined> {
  const path = join(folder, FILE);
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const content = found.size <= 2 * LIMITS.rulesetChars ? await readFile(path).catch(() => undefined) : undefined;
  const [head, sum, size] = HEAD.exec(content?.subarray(0, MAX_HEAD_BYTES).toString('latin1') ?? '') ?? [];
  const bytes = head === undefined ? undefined : content?.subarray(head.length);
  if (!bytes || bytes.length !== Number(size) || checksum(bytes) !== sum) {
    return { kind: 'Refused', code: 'SLUICE_LAST_GOOD_DAMAGED', message: `${path} is not as it was written` };
  }
  const opened = openSnapshot(bytes, keys);
  return 'kind' in opened ? opened : { kind: 'Ruleset', snapshot: opened, live: false };
}

/** Keeps the newest of what it is given, one write at a time. A write that fails is logged, and tried again with the next. */
export class LastGoodKeeper {
  readonly #folder: string;
  readonly #logger: Logger;
  #next: Uint8Array | undefined;
  #writing: Promise<void> | undefined;
  #failures = 0;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Writes that failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  keep(bytes: Uint8Array): void {
    this.#next = bytes;
    this.#writing ??= this.#write();
  }

  /** Resolves when what was given is on disk, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let bytes = this.#next; bytes !== undefined; bytes = this.#next) {
      this.#next = undefined;
      try {
        await writeLastGood(this.#folder, bytes);
      } catch (error) {
        this.#failures++;
        this.#logger.error({ code: 'SLUICE_LAST_GOOD_NOT_WRITTEN' }, error instanceof Error ? error.message : '');
      }
    }
    this.#writing = undefined;
  }
}
