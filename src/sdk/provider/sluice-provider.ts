import type { KeyObject } from 'node:crypto';
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  ProviderFatalError,
  ProviderNotReadyError,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Code, SluiceError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { type CompiledRuleset, compileRuleset } from '../../core/evaluation/compile.ts';
import type { Ruleset } from '../../wire/ruleset.ts';
import { type BundleNews, followBundle } from './bundle-source.ts';
import { failure, type Question, resolve } from './resolution.ts';
import { trustedKeys } from './trusted-keys.ts';

export interface SluiceProviderOptions {
  /** Base URL of the evaluator, such as `http://127.0.0.1:8016`. */
  readonly url: string;
  /** Only rulesets that one of these keys signed are used (Ed25519, PEM). Without it whoever answers at the URL is believed. */
  readonly publicKeys?: readonly (string | KeyObject)[];
  /** Sent with each request, a key of the client for example. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often to ask for changes that nobody told, in milliseconds; default 30,000. */
  readonly pollMs?: number;
  /** How long without any answer until what is held counts as stale, in milliseconds; default 90,000. */
  readonly staleAfterMs?: number;
  /** How long initialisation waits for the first ruleset, in milliseconds; default 10,000. */
  readonly readyWithinMs?: number;
}

export interface SluiceProviderPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
}

interface Held {
  readonly compiled: CompiledRuleset;
  readonly digest: string;
  readonly issuedAt: string;
}

type Health = 'Ready' | 'Stale' | 'Error';

/** Nothing but a change of options, or of who signs, mends these. */
const FATAL: ReadonlySet<Code> = new Set(['SLUICE_SDK_DENIED', 'SLUICE_RULESET_SIGNATURE', 'SLUICE_RULESET_NEWER']);
/** No answer is no news; these are, and someone should look. */
const SILENCE: ReadonlySet<Code> = new Set(['SLUICE_SDK_NO_RULESET', 'SLUICE_SDK_DENIED']);

/**
 * OpenFeature provider for Node that evaluates in the process, by the same code as the sidecar and so with the same answers.
 * It fetches the signed ruleset, keeps the last good one through everything, and says what it thinks of it by events. After
 * a failed initialisation it goes on trying, and says READY when it has a ruleset.
 */
export class SluiceProvider implements Provider {
  readonly metadata = { name: 'Sluice' };
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #options: Required<Omit<SluiceProviderOptions, 'publicKeys'>>;
  readonly #publicKeys: ReadonlyMap<string, KeyObject> | undefined;
  readonly #ports: SluiceProviderPorts;
  #stop = new AbortController();
  #following: Promise<void> | undefined;
  #held: Held | undefined;
  #health: Health = 'Ready';
  /** What the SDK was told last; undefined while it waits for `initialize`, whose end it takes for READY or ERROR. */
  #told: Health | undefined;
  #why = '';
  #cancelSilence: (() => void) | undefined;
  #first: { resolve(): void; reject(error: Error): void } | undefined;

  /** Throws SLUICE_SDK_OPTION. `ports` is for tests. */
  constructor({ publicKeys, ...options }: SluiceProviderOptions, ports: Partial<SluiceProviderPorts> = {}) {
    const { url, headers = {}, pollMs = 30_000, staleAfterMs = 90_000, readyWithinMs = 10_000 } = options;
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      throw new SluiceError('SLUICE_SDK_OPTION', 'url must be an http URL');
    }
    for (const [name, ms] of Object.entries({ pollMs, staleAfterMs, readyWithinMs })) {
      // Timers of Node end at once when they are set for longer.
      if (!(ms >= 1 && ms < 2 ** 31))
        throw new SluiceError('SLUICE_SDK_OPTION', `${name} must be milliseconds, 1 or more`);
    }
    this.#options = { url: url.replace(/\/+$/, ''), headers, pollMs, staleAfterMs, readyWithinMs };
    this.#publicKeys = publicKeys && trustedKeys(publicKeys);
    this.#ports = { clock: systemClock, random: Math.random, fetch: (...of) => globalThis.fetch(...of), ...ports };
  }

  /** Resolves with the first ruleset. Rejects when none came in time, or when none will: PROVIDER_FATAL then. */
  async initialize(): Promise<void> {
    const { url, headers, pollMs, readyWithinMs } = this.#options;
    this.#stop = new AbortController(); // the SDK may close a provider and take it again
    this.#told = undefined;
    const first = new Promise<void>((resolve, reject) => {
      this.#first = { resolve, reject };
    });
    const cancel = this.#ports.clock.after(readyWithinMs, () => {
      this.#first?.reject(new ProviderNotReadyError(this.#why || `${url} did not answer within ${readyWithinMs} ms`));
    });
    const source = { url, headers, pollMs, publicKeys: this.#publicKeys, ...this.#ports };
    this.#following = followBundle(source, (news) => this.#take(news), this.#stop.signal);
    try {
      await first;
      this.#told = 'Ready';
    } catch (error) {
      this.#told = 'Error';
      throw error;
    } finally {
      cancel();
      this.#first = undefined;
      // Only then has the SDK noted the end of this; what happened meanwhile comes after it.
      if (!this.#stop.signal.aborted) this.#ports.clock.after(0, () => this.#tell());
    }
  }

  async onClose(): Promise<void> {
    this.#stop.abort();
    this.#cancelSilence?.();
    this.#first?.reject(new ProviderNotReadyError('the provider was closed'));
    await this.#following;
  }

  async resolveBooleanEvaluation(key: string, defaultValue: boolean, context: EvaluationContext) {
    return this.#resolve({ key, defaultValue, type: 'boolean', context });
  }

  async resolveStringEvaluation(key: string, defaultValue: string, context: EvaluationContext) {
    return this.#resolve({ key, defaultValue, type: 'string', context });
  }

  async resolveNumberEvaluation(key: string, defaultValue: number, context: EvaluationContext) {
    return this.#resolve({ key, defaultValue, type: 'number', context });
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T, context: EvaluationContext) {
    return this.#resolve({ key, defaultValue, type: 'object', context });
  }

  #resolve<T>(question: Question<T>): ResolutionDetails<T> {
    const held = this.#held;
    if (!held) return failure(question.defaultValue, 'PROVIDER_NOT_READY', this.#why || 'there is no ruleset yet');
    const when = { nowMs: this.#ports.clock.now(), isStale: this.#health !== 'Ready' };
    return resolve(held.compiled, question, when);
  }

  /** Answers whether what was told is what answers now. */
  #take(news: BundleNews): boolean {
    if (news.kind === 'Failed') {
      this.#fail(news.code, news.message);
      return false;
    }
    const before = this.#held;
    if (news.kind === 'Ruleset') {
      if (before && isOlder(news.ruleset, before)) return false; // of a replica that lags behind: no news
      if (before && before.compiled.flagSetId !== news.ruleset.flagSetId) {
        const message = `a ruleset of the flag set ${news.ruleset.flagSetId} came in place of ${before.compiled.flagSetId}`;
        this.#fail('SLUICE_RULESET_INVALID', message);
        return false;
      }
      if (before?.digest !== news.digest) this.#held = heldOf(news);
    }
    this.#health = news.isBehind ? 'Stale' : 'Ready';
    this.#why = news.isBehind ? 'the evaluator does not know whether there is a newer ruleset' : '';
    this.#awaitSilence();
    this.#first?.resolve();
    this.#tell();
    if (before && before !== this.#held) this.events.emit(ProviderEvents.ConfigurationChanged);
    return true;
  }

  #fail(code: Code, message: string): void {
    this.#why = message;
    if (FATAL.has(code)) this.#first?.reject(new ProviderFatalError(message));
    if (SILENCE.has(code)) return;
    this.#health = 'Error';
    this.#tell();
  }

  #awaitSilence(): void {
    this.#cancelSilence?.();
    const { staleAfterMs } = this.#options;
    this.#cancelSilence = this.#ports.clock.after(staleAfterMs, () => {
      if (this.#health === 'Ready') this.#health = 'Stale';
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#told === undefined || (this.#held === undefined && this.#told === 'Error')) return;
    if (this.#health === this.#told) return;
    this.#told = this.#health;
    const message = this.#why;
    if (this.#health === 'Ready') this.events.emit(ProviderEvents.Ready);
    else if (this.#health === 'Stale') this.events.emit(ProviderEvents.Stale, { message });
    else this.events.emit(ProviderEvents.Error, { message });
  }
}

function heldOf({ ruleset, digest }: Extract<BundleNews, { kind: 'Ruleset' }>): Held {
  return { compiled: compileRuleset(ruleset), digest, issuedAt: ruleset.issuedAt };
}

/** By number and by time: an evaluator from files counts from 1 again when it starts anew. */
function isOlder({ revision, issuedAt }: Ruleset, held: Held): boolean {
  return revision < held.compiled.revision && Date.parse(issuedAt) <= Date.parse(held.issuedAt);
}
