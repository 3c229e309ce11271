import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import { LIMITS } from '../wire/limits.ts';
import type { Picture } from './picture.ts';

const MAX_BYTES = 32 * 1_048_576;
const MAX_STREAMS = 20_000;
const MAX_SAID = 20_000;
const MAX_RUNS = 16;

const id = z.string().min(1).max(1_024);
const at = z.int().min(0) as unknown as z.ZodType<EpochMs>;
const revision = z.int().min(0);

/** Lists, because names of pods and accounts are anybody's. */
const schema = z.strictObject({
  streams: z.array(z.tuple([id, at])).max(MAX_STREAMS),
  said: z.array(z.tuple([id, at, revision, z.array(z.tuple([revision, at])).max(MAX_RUNS)])).max(MAX_SAID),
  evaluatedAt: z.array(z.tuple([z.string().max(LIMITS.keyChars), at])).max(LIMITS.flags),
});

/** A picture as it lies in Redis: JSON in gzip. */
export async function encodePicture({ streams, said, evaluatedAt }: Picture): Promise<Buffer> {
  const text: z.input<typeof schema> = {
    streams: [...streams].slice(0, MAX_STREAMS),
    said: [...said].map(([id, { at, running, runs }]) => [
      id,
      at,
      running,
      runs.map((run): [number, EpochMs] => [run.revision, run.at]),
    ]),
    evaluatedAt: [...evaluatedAt],
  };
  return promisify(gzip)(JSON.stringify(text));
}

/** Undefined for what is none. */
export async function decodePicture(bytes: Buffer): Promise<Picture | undefined> {
  try {
    const text = await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES });
    const { streams, said, evaluatedAt } = schema.parse(JSON.parse(text.toString('utf8')));
    const entries = said.map(([id, at, running, runs]) => {
      return [id, { at, running, runs: runs.map(([revision, at]) => ({ revision, at })) }] as const;
    });
    return { streams: new Map(streams), said: new Map(entries), evaluatedAt: new Map(evaluatedAt) };
  } catch {
    return undefined;
  }
}
