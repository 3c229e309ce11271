import { sleep, systemClock } from '../../../src/base/clock.ts';
import { SluiceError } from '../../../src/base/errors.ts';
import { type CompiledRuleset, compileRuleset } from '../../../src/core/evaluation/compile.ts';
import { Acknowledger, type Running } from '../../../src/rulesets/acknowledger.ts';
import { EventParser } from '../../../src/rulesets/event-parser.ts';
import { openSnapshot } from '../../../src/rulesets/source.ts';
import { callStream } from '../../../src/rulesets/stream-call.ts';

/** As a sidecar does. */
const JITTER_MS = 2_000;

/** What evaluators of one process share: each evaluator of a cluster has a processor of its own to judge a ruleset with. */
export class SharedOpening {
  #data = '';
  #opened: Opened | undefined;

  /** Judges and compiles what came, once for all who get the same. Throws what is refused. */
  open(data: string): Opened {
    if (data === this.#data && this.#opened) return this.#opened;
    const snapshot = openSnapshot(Buffer.from(data, 'base64'));
    if ('kind' in snapshot) throw new Error(snapshot.message);
    const { ruleset, digest } = snapshot;
    this.#data = data;
    this.#opened = { compiled: compileRuleset(ruleset), digest, issuedAtMs: Date.parse(ruleset.issuedAt) };
    return this.#opened;
  }
}

export interface Opened {
  readonly compiled: CompiledRuleset;
  readonly digest: string;
  readonly issuedAtMs: number;
}

export interface SubscriberOptions {
  readonly address: string;
  readonly flagSetId: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly subscriber: string;
}

/**
 * The sidecar's own request, parser and acknowledgements; the judging is shared. Comes back within 2 s when the stream ends, until
 * the signal aborts. Rejects for a ruleset that is refused.
 */
export async function runLight(
  options: SubscriberOptions,
  shared: SharedOpening,
  ran: (opened: Opened) => void,
  signal: AbortSignal,
): Promise<void> {
  const { address, flagSetId, subscriber, tokenFile, caFile } = options;
  let running: Running | undefined;
  const ports = { clock: systemClock, random: Math.random, running: () => running, takeEvaluated: () => [] };
  const call = { url: new URL('/acks', address), tokenFile, caFile };
  const acks = new Acknowledger({ flagSetId, subscriber, call, ...ports }, signal);
  while (!signal.aborted) {
    for await (const data of snapshots(options, running, signal)) {
      const opened = shared.open(data);
      running = { revision: opened.compiled.revision, digest: opened.digest };
      ran(opened);
      acks.say();
    }
    acks.disconnected();
    await sleep(systemClock, Math.random() * JITTER_MS, signal).catch(() => {}); // the loop's condition ends it
  }
}

/** What one connection brings, until it ends or breaks. */
async function* snapshots(
  { address, flagSetId, tokenFile, caFile, subscriber }: SubscriberOptions,
  running: Running | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const url = new URL(`/rulesets/${flagSetId}?subscriber=${subscriber}`, address);
  const headers = { accept: 'text/event-stream', ...(running && { 'last-event-id': String(running.revision) }) };
  const parser = new EventParser();
  try {
    const response = await callStream({ url, tokenFile, caFile, headers, signal });
    for await (const chunk of response as AsyncIterable<Buffer>) {
      for (const { event, data } of parser.feed(chunk)) if (event === 'snapshot') yield data;
    }
  } catch (error) {
    if (!isStreamError(error)) throw error;
  }
}

/** A connection that was refused or broke off: the next one may find a leader. */
const isStreamError = (error: unknown): boolean =>
  error instanceof SluiceError || (error instanceof Error && 'code' in error);
