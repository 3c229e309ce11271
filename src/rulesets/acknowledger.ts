import { once } from 'node:events';
import type { Agent } from 'node:http';
import { type Clock, sleep } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Acknowledgement } from '../wire/acknowledgement.ts';
import { LIMITS } from '../wire/limits.ts';
import { callStream, type StreamCall, stickyAgent } from './stream-call.ts';

const EVERY_MS = 300_000;
const MAX_KEYS = 1_000;
/** A connection may find a replica that does not lead: the next one is tried at once. */
const QUICK_TRIES = 8;
const QUICK_MS = 50;
const FIRST_MS = 1_000;
const MAX_MS = 30_000;

/** What answers now. */
export interface Running {
  readonly revision: number;
  readonly digest: string;
}

/** A ruleset that cannot be used. */
export interface RefusedRuleset extends Running {
  readonly reason: string;
}

export interface AcknowledgerOptions {
  readonly flagSetId: string;
  readonly subscriber: string;
  readonly call: Pick<StreamCall, 'url' | 'tokenFile' | 'caFile'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined: nothing answers yet. */
  running(): Running | undefined;
  /** Keys that were evaluated since the last call. */
  takeEvaluated(): readonly string[];
}

/** Tells the operator what is run or refused: when it changes, and every 5 minutes. One at a time, always the newest. */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  readonly #signal: AbortSignal;
  readonly #agent: Agent;
  readonly #evaluated = new Set<string>();
  #refused: RefusedRuleset | undefined;
  #isConnected = false;
  #isDue = false;
  #sending: Promise<void> | undefined;
  #cancelTimer = () => {};

  constructor(options: AcknowledgerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#agent = stickyAgent(options.call.url);
    this.#signal = signal;
    this.#await();
  }

  /** Something is to be said now. Nobody hears it without a stream. */
  say(refused?: RefusedRuleset): void {
    this.#isConnected = true;
    this.#refused = refused;
    this.#kick();
  }

  /** The stream has ended: what was not said by now is said on the next one. */
  disconnected(): void {
    this.#isConnected = false;
  }

  /** After the signal: resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#cancelTimer();
    await this.#sending;
    this.#agent.destroy();
  }

  #await(): void {
    const { clock, random } = this.#options;
    this.#cancelTimer = clock.after(EVERY_MS * (0.9 + 0.2 * random()), () => {
      if (this.#isConnected) this.#kick();
      this.#await();
    });
  }

  #kick(): void {
    this.#isDue = true;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(): Promise<void> {
    let failures = 0;
    while (this.#isDue && this.#isConnected && !this.#signal.aborted) {
      this.#isDue = false;
      try {
        await this.#post();
        failures = 0;
      } catch {
        // Why is told by the stream, which ends or fails for the same reason.
        this.#isDue = true;
        failures++;
        await sleep(this.#options.clock, this.#pauseMs(failures), this.#signal).catch(() => {}); // the loop ends
      }
    }
  }

  #pauseMs(failures: number): number {
    const { random } = this.#options;
    if (failures <= QUICK_TRIES) return QUICK_MS * random();
    return random() * Math.min(MAX_MS, FIRST_MS * 2 ** (failures - QUICK_TRIES));
  }

  async #post(): Promise<void> {
    // What is not heard of for hours is not kept for hours: flags come and go meanwhile.
    for (const key of this.#options.takeEvaluated()) if (this.#evaluated.size < LIMITS.flags) this.#evaluated.add(key);
    do {
      const keys = [...this.#evaluated].slice(0, MAX_KEYS);
      const body = this.#next(keys);
      if (!body) return;
      const call = { ...this.#options.call, headers: {}, agent: this.#agent, body, signal: this.#signal };
      const response = await callStream(call);
      response.resume();
      await once(response, 'end', { signal: this.#signal });
      for (const key of keys) this.#evaluated.delete(key);
    } while (this.#evaluated.size > 0);
  }

  #next(evaluated: string[]): Acknowledgement | undefined {
    const { flagSetId, subscriber, running } = this.#options;
    const about = this.#refused ?? running();
    if (!about) return undefined;
    const { revision, digest } = about;
    const common = { schema: 'sluice.acknowledgement/v1', flagSetId, subscriber, revision, digest, evaluated } as const;
    return this.#refused
      ? { ...common, state: 'Refused', reason: this.#refused.reason.slice(0, 1_024) }
      : { ...common, state: 'Running' };
  }
}
