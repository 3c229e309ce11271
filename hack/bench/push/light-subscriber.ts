import { systemClock } from '../../../src/base/clock.ts';
import { type CompiledRuleset, compileRuleset } from '../../../src/core/evaluation/compile.ts';
import { Acknowledger, type Running } from '../../../src/rulesets/acknowledger.ts';
import { EventParser } from '../../../src/rulesets/event-parser.ts';
import { openSnapshot } from '../../../src/rulesets/source.ts';
import { callStream } from '../../../src/rulesets/stream-call.ts';

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
  readonly subscriber: string;
}

/** The sidecar's own request, parser and acknowledgements; the judging is shared. One connection: rejects when it ends before the signal. */
export async function runLight(
  { address, flagSetId, tokenFile, subscriber }: SubscriberOptions,
  shared: SharedOpening,
  ran: (opened: Opened) => void,
  signal: AbortSignal,
): Promise<void> {
  let running: Running | undefined;
  const ports = { clock: systemClock, random: Math.random, running: () => running, takeEvaluated: () => [] };
  const call = { url: new URL('/acks', address), tokenFile };
  const acks = new Acknowledger({ flagSetId, subscriber, call, ...ports }, signal);
  const url = new URL(`/rulesets/${flagSetId}?subscriber=${subscriber}`, address);
  const response = await callStream({ url, tokenFile, headers: { accept: 'text/event-stream' }, signal });
  const parser = new EventParser();
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const { event, data } of parser.feed(chunk)) {
      if (event !== 'snapshot') continue;
      const opened = shared.open(data);
      running = { revision: opened.compiled.revision, digest: opened.digest };
      ran(opened);
      acks.say();
    }
  }
  throw new Error('the stream has ended');
}
