import type { EpochMs } from '../../src/base/units.ts';
import { http1Sender } from './http1-sender.ts';
import { Http2Sender } from './http2-sender.ts';
import { type Attempt, Ledger } from './ledger.ts';
import type { ClientKind, Outcome } from './outcome.ts';
import type { LoadReport, SecondReport } from './report.ts';
import { requestOf, type Sender, type Target } from './request.ts';

/** Virtual clients of one kind; each is one user with connections of its own. */
export interface ClientGroup {
  readonly kind: ClientKind;
  readonly count: number;
  /** Of all of them together. */
  readonly ratePerSecond: number;
  /** Sent with each request, such as `x-team: shop`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  readonly target: Target;
  readonly hostHeader: string;
  readonly clients: readonly ClientGroup[];
  /** Header that carries the user's id; default `x-user-id`. */
  readonly userHeader?: string;
  /** Time for one whole answer; default 10 s. */
  readonly timeoutMs?: number;
  /** Hears of every second once it is over. */
  readonly onSecond?: (second: SecondReport) => void;
  /** Ends the load at once; requests in flight are given up and not judged. */
  readonly signal?: AbortSignal;
}

export interface LoadHandle {
  /** Sends no more, waits for the answers in flight (each until its timeout), closes all connections. */
  stop(): Promise<LoadReport>;
  snapshot(): LoadReport;
  /** Of the requests that `version` answered after `after`: when the youngest was sent and the last was answered. */
  lastSeen(version: string, after?: EpochMs): { sentAt: EpochMs; answeredAt: EpochMs } | undefined;
}

interface Group {
  readonly kind: ClientKind;
  readonly senders: readonly { readonly user: string; readonly sender: Sender }[];
  readonly startMs: number;
  readonly gapMs: number;
  sent: number;
}

interface Flight {
  readonly attempt: Attempt;
  cancel: () => void;
}

const SHORTEST_SLEEP_MS = 1;
const LONGEST_SLEEP_MS = 20;

/**
 * Sends at a constant rate whatever comes back (an open loop), from one timer. What is in flight is bounded by rate ×
 * timeout. Throws when the options make no sense.
 */
export function startLoad(options: LoadOptions): LoadHandle {
  for (const { count, ratePerSecond } of options.clients) {
    if (!Number.isInteger(count) || count < 1) throw new Error(`a group needs at least one client, not ${count}`);
    if (!(ratePerSecond > 0)) throw new Error(`a rate must be above 0, not ${ratePerSecond}`);
  }
  const load = new Load(options);
  load.run();
  return load;
}

/** Epoch milliseconds that never jump, with fractions. */
const now = () => (performance.timeOrigin + performance.now()) as EpochMs;

class Load implements LoadHandle {
  readonly #ledger: Ledger;
  readonly #groups: readonly Group[];
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  /** In the order of sending, so the one that times out first stands first. */
  readonly #inFlight = new Set<Flight>();
  readonly #finished = Promise.withResolvers<LoadReport>();
  readonly #abort = () => this.#giveUp();
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #report: LoadReport | undefined;

  constructor(options: LoadOptions) {
    const start = now();
    this.#ledger = new Ledger(start, options.onSecond);
    this.#groups = options.clients.map((group, index) => openGroup(options, group, index, start));
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#signal = options.signal;
  }

  run(): void {
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    if (this.#signal?.aborted) this.#giveUp();
    else this.#tick();
  }

  stop(): Promise<LoadReport> {
    this.#stopping = true;
    return this.#finished.promise;
  }

  snapshot(): LoadReport {
    return this.#report ?? this.#ledger.report(now());
  }

  lastSeen(version: string, after = 0 as EpochMs) {
    return this.#ledger.lastSeen(version, after);
  }

  #tick(): void {
    let next = now() + LONGEST_SLEEP_MS;
    for (const group of this.#stopping ? [] : this.#groups) {
      for (; dueMs(group) <= now(); group.sent += 1) this.#send(group);
      next = Math.min(next, dueMs(group));
    }
    this.#sweep();
    this.#ledger.tick(now());
    if (this.#stopping && this.#inFlight.size === 0) this.#finish();
    else this.#timer = setTimeout(() => this.#tick(), Math.max(SHORTEST_SLEEP_MS, next - now()));
  }

  #send(group: Group): void {
    const client = group.senders[group.sent % group.senders.length];
    if (client === undefined) throw new Error('a group without clients'); // startLoad refuses it
    const attempt = { client: group.kind, user: client.user, dueAt: dueMs(group) as EpochMs, sentAt: now() };
    const flight: Flight = { attempt, cancel: () => {} };
    this.#inFlight.add(flight);
    this.#ledger.sent(attempt);
    flight.cancel = client.sender.send(requestOf(group.kind, group.sent), (outcome) => this.#settle(flight, outcome));
  }

  /** Clients may tell of an end more than once (an error, then a close): the first one counts. */
  #settle(flight: Flight, outcome: Outcome): void {
    if (this.#inFlight.delete(flight)) this.#ledger.ended(flight.attempt, outcome, now());
  }

  #sweep(): void {
    for (const flight of this.#inFlight) {
      if (now() - flight.attempt.sentAt < this.#timeoutMs) return;
      this.#settle(flight, { kind: 'failure', loss: 'timeout', code: 'timeout' });
      flight.cancel();
    }
  }

  #giveUp(): void {
    this.#stopping = true;
    for (const flight of this.#inFlight) {
      this.#settle(flight, { kind: 'abandoned' });
      flight.cancel();
    }
    this.#finish();
  }

  #finish(): void {
    if (this.#report !== undefined) return;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    for (const { senders } of this.#groups) for (const { sender } of senders) sender.close();
    this.#report = this.#ledger.report(now());
    this.#finished.resolve(this.#report);
  }
}

const dueMs = ({ startMs, gapMs, sent }: Group) => startMs + gapMs * sent;

function openGroup(options: LoadOptions, group: ClientGroup, index: number, start: EpochMs): Group {
  const { kind, count, ratePerSecond } = group;
  const gapMs = 1000 / ratePerSecond;
  const senders = Array.from({ length: count }, (_, n) => {
    const user = `user-${index}-${n}`;
    return { user, sender: openSender(options, group, user) };
  });
  // Groups begin at different points of their period, so that equal rates do not send in step.
  return { kind, senders, startMs: start + (gapMs * index) / options.clients.length, gapMs, sent: 0 };
}

function openSender({ target, hostHeader, userHeader = 'x-user-id' }: LoadOptions, group: ClientGroup, user: string) {
  const headers = { ...group.headers, [userHeader]: user };
  if (group.kind === 'http2') return new Http2Sender(target, { ':authority': hostHeader, ...headers });
  return http1Sender(target, { host: hostHeader, ...headers }, group.kind !== 'short');
}
