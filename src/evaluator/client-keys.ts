import { hash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Clock, sleep } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** As a bearer token is written (RFC 6750 §2.1); short ones could be guessed. */
const KEY = /^[\w.~+/-]{16,256}={0,2}$/;
const MAX_KEYS = 100;
const MAX_FILE_BYTES = 65_536;
const POLL_MS = 1_000;

/**
 * The keys that browsers and phones come with: one a line in a file, which is looked at every second. While the file cannot be
 * used, the keys from before count. In memory there are digests only; a comparison takes as long whatever is compared.
 */
export class ClientKeys {
  readonly #path: string;
  #text: string | undefined;
  #keys: readonly Buffer[] = [];
  #tickets: readonly Buffer[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws SLUICE_SIDECAR_ARGUMENT. */
  static async read(path: string): Promise<ClientKeys> {
    const keys = new ClientKeys(path);
    await keys.#look();
    return keys;
  }

  /** Looks for changes until the signal aborts. */
  async follow(
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    signal: AbortSignal,
  ): Promise<void> {
    let told = '';
    while (!signal.aborted) {
      const problem = await this.#look().then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (problem !== '' && problem !== told) logger.error({ code: 'SLUICE_SIDECAR_ARGUMENT' }, problem);
      told = problem;
      await sleep(clock, POLL_MS, signal).catch(() => {}); // the loop's condition ends it
    }
  }

  knows(key: string): boolean {
    return isAmong(this.#keys, key);
  }

  knowsTicket(ticket: string): boolean {
    return isAmong(this.#tickets, ticket);
  }

  async #look(): Promise<void> {
    const text = await textOf(this.#path);
    if (text === this.#text) return;
    const keys = keysOf(text, this.#path);
    this.#text = text;
    this.#keys = keys.map(digestOf);
    this.#tickets = keys.map((key) => digestOf(ticketOf(key)));
  }
}

/** Opens the event stream in place of its key: browsers send no headers there, and addresses are written into logs. */
export function ticketOf(key: string): string {
  return hash('sha256', `sluice-events:${key}`, 'base64url').slice(0, 22);
}

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

function isAmong(digests: readonly Buffer[], text: string): boolean {
  const digest = digestOf(text);
  let isFound = false;
  for (const known of digests) isFound = timingSafeEqual(known, digest) || isFound;
  return isFound;
}

async function textOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw wrong(path, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The keys are in no message. */
function keysOf(text: string, path: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  for (const [index, line] of lines.entries()) {
    if (!isComment(line) && !KEY.test(line)) throw wrong(path, `line ${index + 1} is no key of 16 to 256 characters`);
  }
  const keys = lines.filter((line) => !isComment(line));
  if (keys.length === 0) throw wrong(path, 'holds no key');
  if (keys.length > MAX_KEYS) throw wrong(path, `holds more than ${MAX_KEYS} keys`);
  return keys;
}

const isComment = (line: string): boolean => line === '' || line.startsWith('#');

const wrong = (path: string, why: string): SluiceError =>
  new SluiceError('SLUICE_SIDECAR_ARGUMENT', `--client-key-file ${path}: ${why}`);
