import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type Clock, sleep } from '../base/clock.ts';
import { type Code, codes, SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { EpochMs } from '../base/units.ts';
import { digest, revision } from '../wire/names.ts';
import { decodeSnapshot } from '../wire/snapshot.ts';
import { Acknowledger, type RefusedRuleset, type Running } from './acknowledger.ts';
import { EventParser, type StreamEvent } from './event-parser.ts';
import { type KeyRing, type News, openSnapshot, type RulesetSource } from './source.ts';
import { callStream } from './stream-call.ts';

/** As long as from one ping to the next: for a shorter time a replica may lag, or a ruleset be on its way. */
const DIFFERS_MS = 15_000;
const JITTER_MS = 2_000;
/** Who says no, or has too much to do, is asked more and more seldom. */
const MAX_PAUSE_MS = 30_000;
/** Who is not there, or does not lead, is found by trying: a change is not to wait long for those who lost the operator for an hour. */
const MAX_SEARCH_PAUSE_MS = 4_000;
const SEARCHES: ReadonlySet<Code | undefined> = new Set(['SLUICE_STREAM_UNREACHABLE', 'SLUICE_STREAM_STANDBY']);
/** Three pings. */
const SILENCE_MS = 45_000;

export interface StreamSourceOptions {
  /** Of the operator, such as `https://sluice-rulesets.sluice-system.svc:8082`. */
  readonly address: string;
  readonly flagSetId: string;
  /** Name of the pod. */
  readonly subscriber: string;
  /** The projected service-account token. */
  readonly tokenFile: string;
  readonly caFile: string | undefined;
  readonly keys: KeyRing | undefined;
}

export interface StreamSourcePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What answers now; undefined before the first ruleset. */
  running(): Running | undefined;
  /** Keys that were evaluated since the last call. */
  takeEvaluated(): readonly string[];
}

/** The operator's stream. Comes back whenever it ends, until the signal aborts; then it resolves within moments. */
export function streamSource(options: StreamSourceOptions, ports: StreamSourcePorts): RulesetSource {
  return {
    run: async (tell, signal) => {
      const { flagSetId, subscriber, tokenFile, caFile, address } = options;
      const call = { url: new URL('/acks', address), tokenFile, caFile };
      const acks = new Acknowledger({ flagSetId, subscriber, call, ...ports }, signal);
      const connection = new Connection(options, ports, acks, tell);
      while (!signal.aborted) {
        await connection.live(signal).catch((error) => {
          if (!signal.aborted) connection.failed(error);
        });
        acks.disconnected();
        await sleep(ports.clock, connection.pauseMs(), signal).catch(() => {}); // the loop's condition ends it
      }
      await acks.stop();
    },
  };
}

const pingSchema = z.object({ revision: revision.optional(), digest: digest.optional() });

class Connection {
  readonly #options: StreamSourceOptions;
  readonly #ports: StreamSourcePorts;
  readonly #acks: Acknowledger;
  readonly #tell: (news: News) => void;
  /** Since the last event that was good. */
  #failures = 0;
  #lastError: SluiceError | undefined;
  #goodAt: number;
  /** While the operator gives another ruleset than the one that answers. */
  #difference: { readonly since: EpochMs; readonly isTold: boolean } | undefined;
  #isLossTold = false;
  /** Why it failed since then: each reason is logged when it first comes, and every hundredth failure. */
  readonly #reasons = new Set<Code>();

  constructor(options: StreamSourceOptions, ports: StreamSourcePorts, acks: Acknowledger, tell: (news: News) => void) {
    this.#options = options;
    this.#ports = ports;
    this.#acks = acks;
    this.#tell = tell;
    this.#goodAt = ports.clock.now();
  }

  /** One stream, from its request to its end. */
  async live(signal: AbortSignal): Promise<void> {
    const { address, flagSetId, subscriber, tokenFile, caFile } = this.#options;
    const url = new URL(`/rulesets/${encodeURIComponent(flagSetId)}`, address);
    url.searchParams.set('subscriber', subscriber);
    const running = this.#ports.running();
    const headers = {
      accept: 'text/event-stream',
      // The same number may be another ruleset.
      ...(running && !this.#difference && { 'last-event-id': String(running.revision) }),
    };
    const response = await callStream({ url, tokenFile, caFile, headers, signal });
    try {
      await this.#read(response);
    } finally {
      response.destroy();
    }
  }

  failed(error: unknown): void {
    const { logger, clock } = this.#ports;
    const lost = coded(error, this.#options.address);
    const { code, message } = lost;
    this.#lastError = lost;
    if (!this.#reasons.has(code) || this.#failures % 100 === 0) logger.warn({ code }, message);
    this.#reasons.add(code);
    this.#failures++;
    if (this.#isLossTold || clock.now() - this.#goodAt < SILENCE_MS) return;
    this.#isLossTold = true;
    this.#tell({ kind: 'Refused', code, message });
  }

  /** Before the next try: any time up to 2 s at first, so that those who lost a leader together do not come together. */
  pauseMs(): number {
    const max = SEARCHES.has(this.#lastError?.code) ? MAX_SEARCH_PAUSE_MS : MAX_PAUSE_MS;
    return this.#ports.random() * Math.min(max, JITTER_MS * 2 ** Math.min(Math.max(0, this.#failures - 1), 10));
  }

  async #read(response: IncomingMessage): Promise<void> {
    const parser = new EventParser();
    const { clock } = this.#ports;
    const silent = () => response.destroy(new Error(`nothing was heard for ${SILENCE_MS} ms`));
    let isFirst = true;
    let cancel = clock.after(SILENCE_MS, silent);
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        cancel();
        cancel = clock.after(SILENCE_MS, silent);
        for (const event of parser.feed(chunk)) {
          if (event.event === 'snapshot') this.#snapshot(event);
          else if (event.event === 'ping') this.#ping(event, isFirst);
          isFirst = false;
        }
      }
    } finally {
      cancel();
    }
  }

  #snapshot({ id, data }: StreamEvent): void {
    const bytes = Buffer.from(data, 'base64');
    const opened = openSnapshot(bytes, this.#options.keys?.());
    if ('kind' in opened) {
      this.#refuse(opened, { revision: Number(id) || 0, digest: claimedDigest(bytes), reason: opened.message });
      return;
    }
    const { flagSetId, revision } = opened.ruleset;
    if (flagSetId !== this.#options.flagSetId) {
      const message = `a ruleset of the flag set ${flagSetId} came to an evaluator of ${this.#options.flagSetId}`;
      const news = { kind: 'Refused', code: 'SLUICE_RULESET_INVALID', message } as const;
      this.#refuse(news, { revision, digest: opened.digest, reason: message });
      return;
    }
    this.#tell({ kind: 'Ruleset', snapshot: opened, live: true });
    this.#isSame({ revision, digest: opened.digest });
    this.#good();
    this.#acks.say();
  }

  #ping({ data }: StreamEvent, isFirst: boolean): void {
    const { revision, digest } = pingOf(data) ?? {};
    if (revision !== undefined && digest !== undefined && this.#isSame({ revision, digest }))
      this.#tell({ kind: 'Confirmed' });
    this.#good();
    if (isFirst) this.#acks.say();
  }

  /** Whether what the operator gives is what answers. Where it is not for too long, it is asked for anew, once, and maybe of another replica. */
  #isSame(given: Running): boolean {
    const running = this.#ports.running();
    const now = this.#ports.clock.now();
    if (!running || running.digest === given.digest) {
      this.#difference = undefined;
      return running !== undefined;
    }
    this.#difference ??= { since: now, isTold: false };
    if (this.#difference.isTold || now - this.#difference.since < DIFFERS_MS) return false;
    const message = `the operator gives revision ${given.revision}, and another that was made later answers: revision ${running.revision}`;
    this.#refuse({ kind: 'Refused', code: 'SLUICE_RULESET_DIFFERS', message }, { ...given, reason: message });
    return false;
  }

  #refuse(news: Extract<News, { kind: 'Refused' }>, refused: RefusedRuleset): void {
    this.#difference = { since: this.#ports.clock.now(), isTold: true };
    this.#tell(news);
    this.#acks.say({ ...refused, reason: `${news.code}: ${refused.reason}` });
    // What may have been damaged on its way is fetched again.
    if (codes[news.code].retry === 'backoff') throw new SluiceError(news.code, news.message);
  }

  #good(): void {
    if (this.#failures > 0) this.#ports.logger.info({}, 'the stream of rulesets is back');
    this.#failures = 0;
    this.#reasons.clear();
    this.#lastError = undefined;
    this.#isLossTold = false;
    this.#goodAt = this.#ports.clock.now();
  }
}

function coded(error: unknown, address: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new SluiceError('SLUICE_STREAM_UNREACHABLE', `${address}: ${why}`, {}, error);
}

function pingOf(data: string): z.output<typeof pingSchema> | undefined {
  try {
    return pingSchema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}

/** The digest that a snapshot claims, or that of the bytes where nothing can be read in them. */
function claimedDigest(bytes: Buffer): string {
  const claimed = digest.safeParse((decodeSnapshot(bytes) as { digest?: unknown } | null | undefined)?.digest);
  return claimed.data ?? `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
