import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { FlagManifest } from '../core/flags/flag-source.ts';
import { type News, type RulesetSource, snapshotOf } from '../rulesets/source.ts';
import { digestOf, sealRuleset } from '../wire/sealed-ruleset.ts';
import { type FoundFile, findFiles, readFlagFile } from './flag-files.ts';
import { LocalFlags } from './local-flags.ts';

export interface FileSourceOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly namespace: string | undefined;
  /** Whether to look for changes; otherwise the files are read once. */
  readonly watch: boolean;
  /** How often to look. Files are asked for their status: no event is missed, on any file system. */
  readonly pollMs: number;
}

/** What is known of a file. */
interface KnownFile {
  readonly sign: string;
  /** What it said when it could last be read. */
  readonly objects: readonly FlagManifest[];
  readonly problem: string | undefined;
}

/**
 * FeatureFlags in YAML files, without Kubernetes. A file that cannot be read keeps what it said last; at the start there is
 * no such thing, and `run` rejects with SLUICE_FLAG_FILE.
 */
export function fileSource(
  { paths, namespace, watch, pollMs }: FileSourceOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): RulesetSource {
  return {
    run: async (tell, signal) => {
      const reader = new FlagFileReader(new LocalFlags(namespace), { clock, logger });
      for (const news of await reader.begin(paths)) tell(news);
      while (watch && !signal.aborted) {
        await sleep(clock, pollMs, signal).catch(() => {}); // the loop's condition ends it
        if (!signal.aborted) for (const news of await reader.look(paths)) tell(news);
      }
    },
  };
}

class FlagFileReader {
  readonly #flags: LocalFlags;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #files: ReadonlyMap<string, KnownFile> = new Map();
  /** Signs of the last look. */
  #seen: ReadonlyMap<string, string> = new Map();
  #digest = '';
  /** Of what the files say. */
  #trouble = '';
  /** Of the last look itself. */
  #lookTrouble = '';

  constructor(flags: LocalFlags, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#flags = flags;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The first look; trouble is thrown. */
  async begin(paths: readonly string[]): Promise<News[]> {
    const found = await findFiles(paths);
    this.#seen = signsOf(found);
    return this.#read(found, true);
  }

  /** News since the last look. Each trouble is told once. */
  async look(paths: readonly string[]): Promise<News[]> {
    let found: readonly FoundFile[];
    try {
      found = await findFiles(paths);
      this.#lookTrouble = '';
    } catch (error) {
      // Editors take a file away for a moment when they save it: the next look tells.
      const message = messageOf(error);
      if (message === this.#lookTrouble) return [];
      this.#lookTrouble = message;
      return [refused(message)];
    }
    const before = this.#seen;
    this.#seen = signsOf(found);
    const settled = this.#settled(before);
    if (!this.#areKnown(settled)) return this.#read(settled, false).catch((error) => this.#refuse(messageOf(error)));
    return this.#trouble === '' && this.#areKnown(found) ? [{ kind: 'Confirmed' }] : [];
  }

  /**
   * Each file as two looks have seen it, else as it was known: it is being written, and the part that is there may be YAML by itself.
   */
  #settled(before: ReadonlyMap<string, string>): FoundFile[] {
    const isSameList = isDeepStrictEqual([...before.keys()], [...this.#seen.keys()]);
    const paths = isSameList ? this.#seen.keys() : this.#files.keys();
    return [...paths].flatMap((path) => {
      const sign = this.#seen.get(path);
      const counts = sign === before.get(path) ? sign : this.#files.get(path)?.sign;
      return counts === undefined ? [] : [{ path, sign: counts }];
    });
  }

  /** Reads what is new of these files. With `strict` trouble is thrown. */
  async #read(found: readonly FoundFile[], strict: boolean): Promise<News[]> {
    const files = await Promise.all(
      found.map(async (file): Promise<[string, KnownFile]> => [file.path, await this.#readOne(file, strict)]),
    );
    this.#files = new Map(files);
    const objects = files.flatMap(([, file]) => file.objects);
    const { ruleset, notAccepted, others } = this.#flags.compile(objects, this.#clock.now());
    const content = digestOf({ flagSetId: ruleset.flagSetId, flags: ruleset.flags });
    const troubles = [
      ...files.flatMap(([, { problem }]) => problem ?? []),
      ...notAccepted.map(({ name, why }) => `SLUICE_FLAG_NOT_ACCEPTED: ${name}: ${why}`),
    ];
    const news: News[] = [];
    if (content !== this.#digest) {
      this.#digest = content;
      if (others > 0) this.#logger.warn({ others }, 'FeatureFlags of other namespaces are left aside');
      // While something is in trouble, what the rest says is not all that the files are meant to say.
      news.push({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(ruleset)), live: troubles.length === 0 });
    }
    if (troubles.length > 0) return [...news, ...this.#refuse(troubles.slice(0, 20).join('; '))];
    this.#trouble = '';
    return [...news, { kind: 'Confirmed' }];
  }

  async #readOne({ path, sign }: FoundFile, strict: boolean): Promise<KnownFile> {
    const known = this.#files.get(path);
    if (known?.sign === sign) return known;
    try {
      return { sign, objects: await readFlagFile(path), problem: undefined };
    } catch (error) {
      if (strict) throw error;
      return { sign, objects: known?.objects ?? [], problem: messageOf(error) };
    }
  }

  #areKnown(files: readonly FoundFile[]): boolean {
    return files.length === this.#files.size && files.every(({ path, sign }) => this.#files.get(path)?.sign === sign);
  }

  #refuse(message: string): News[] {
    if (message === this.#trouble) return [];
    this.#trouble = message;
    return [refused(message)];
  }
}

const signsOf = (files: readonly FoundFile[]): Map<string, string> =>
  new Map(files.map(({ path, sign }) => [path, sign]));

function messageOf(error: unknown): string {
  if (!(error instanceof SluiceError)) throw error;
  return error.message;
}

function refused(message: string): News {
  const code = message.startsWith('SLUICE_FLAG_NOT_ACCEPTED') ? 'SLUICE_FLAG_NOT_ACCEPTED' : 'SLUICE_FLAG_FILE';
  return { kind: 'Refused', code, message };
}
