import { type Clock, sleep } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { type Lease, leases } from './builtins.ts';
import type { CallOptions, KubeClient } from './client.ts';
import { settlesWithin } from './deadline.ts';
import { isAlreadyExists, isConflict } from './kube-error.ts';

export interface ElectionPorts {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  /** Its timers pace the tries; its `now` is only written into the lease, for people to read. */
  readonly clock: Clock;
  /** Milliseconds that never jump, such as `() => performance.now()`. Clocks of two machines are never compared. */
  readonly monotonicMs: () => number;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process, not only to its pod: a restarted container is another candidate. */
  readonly identity: string;
  /** A candidate takes the lease when it saw no renewal for this long. Default 6_000. */
  readonly leaseMs?: number;
  /** The leader stops when its last renewal was sent this long ago. Less than `leaseMs`. Default 4_000. */
  readonly renewMs?: number;
  /** Time between renewals, and between a candidate's looks. Default 1_000. */
  readonly retryMs?: number;
  readonly onChange?: (leading: boolean) => void;
}

/** Why the signal of the leader's work aborted. */
export class LeadershipLost extends Error {}

/**
 * Leads while it holds a Lease. A leader stops `renewMs` after it sent its last successful renewal; another takes the lease
 * `leaseMs` after it saw that renewal, which is later: so at most one leads, whatever the clocks say, as long as work
 * stops within the difference (2 s). What goes beyond that is caught by the preconditions that every write carries.
 */
export class LeaderElection {
  readonly #ports: ElectionPorts;
  readonly #options: Required<Omit<ElectionOptions, 'onChange'>> & Pick<ElectionOptions, 'onChange'>;
  /** The lease as last read or written, and when we saw its spec change (monotonic). */
  #lease: Lease | undefined;
  #changedAtMs = 0;
  /** Leading until then (monotonic), unless renewed. */
  #validUntilMs = Number.NEGATIVE_INFINITY;
  /** When the API server last answered about the lease (monotonic). */
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: ElectionPorts, options: ElectionOptions) {
    this.#ports = ports;
    this.#options = { leaseMs: 6_000, renewMs: 4_000, retryMs: 1_000, ...options };
  }

  /** True only while our lease is certainly valid, even if this process was frozen a moment ago. */
  get leading(): boolean {
    return this.#ports.monotonicMs() < this.#validUntilMs;
  }

  /** Milliseconds since the API server last answered, which it is asked every second: whether this process can know any news. */
  get silentForMs(): number {
    return this.#ports.monotonicMs() - this.#heardAtMs;
  }

  /**
   * Stands for election until `signal` aborts; each time it is won, runs `lead`, whose signal aborts when leadership ends.
   * Resolves after the work has ended and the lease is given back. Rejects with what `lead` threw, or with SLUICE_INTERNAL
   * when the work does not stop in time: then the process must end, because another may lead.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.#acquire(signal))) return;
      this.#options.onChange?.(true);
      try {
        if (await this.#lead(lead, signal)) return;
      } finally {
        await this.#release();
        this.#options.onChange?.(false);
      }
    }
  }

  /** Waits as a candidate; false when `signal` aborted first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, logger } = this.#ports;
    const { retryMs, identity } = this.#options;
    while (!signal.aborted) {
      let waitMs = retryMs * (0.9 + 0.2 * random());
      try {
        const freeInMs = await this.#look(signal);
        if (freeInMs <= 0 && (await this.#write(identity, signal))) return true;
        if (freeInMs > 0) waitMs = Math.min(waitMs, freeInMs);
      } catch (err) {
        if (signal.aborted) break;
        logger.warn({ err }, 'cannot reach the lease');
      }
      await sleep(clock, waitMs, signal).catch(() => {});
    }
    return false;
  }

  /** Reads the lease and answers how long its holder may still be leading; 0 = it is free, or ours. */
  async #look(signal: AbortSignal): Promise<number> {
    const { namespace, name, identity, leaseMs, retryMs } = this.#options;
    const call = { signal, deadlineMs: 2 * retryMs, priority: 'safety' } as const;
    const lease = await this.#ports.client.get(leases, { namespace, name }, call);
    const nowMs = this.#ports.monotonicMs();
    this.#heardAtMs = nowMs;
    if (JSON.stringify(lease?.spec) !== JSON.stringify(this.#lease?.spec)) this.#changedAtMs = nowMs;
    this.#lease = lease;
    const { holderIdentity, leaseDurationSeconds = 0 } = lease?.spec ?? {};
    if (!holderIdentity || holderIdentity === identity) return 0;
    // A holder of another version may have been promised longer than we would wait.
    return this.#changedAtMs + Math.max(leaseMs, leaseDurationSeconds * 1000) - nowMs;
  }

  /** Runs the work and renews meanwhile. True when the work ended by itself or `signal` aborted; false when the lease was lost. */
  async #lead(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { leaseMs, renewMs } = this.#options;
    const leading = new AbortController();
    const stop = () => leading.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const lost = new LeadershipLost('the lease is lost');
    const work = lead(leading.signal).finally(() => leading.abort(new Error('the work ended')));
    work.catch(() => {}); // looked at below, after the renewals
    await this.#renewUntil(leading, lost);
    signal.removeEventListener('abort', stop);
    if (!(await settlesWithin(this.#ports.clock, work, leaseMs - renewMs))) {
      this.#validUntilMs = Number.NEGATIVE_INFINITY; // not given back: our work may still be writing
      throw new SluiceError('SLUICE_INTERNAL', 'the work did not stop when leadership ended');
    }
    await work;
    return leading.signal.reason !== lost; // the first reason counts
  }

  /** Renews until `leading` aborts, and aborts it when the lease is lost. */
  async #renewUntil(leading: AbortController, lost: LeadershipLost): Promise<void> {
    const { clock, logger, monotonicMs } = this.#ports;
    const { retryMs, identity } = this.#options;
    while (!leading.signal.aborted) {
      // Apart from the renewals, so that a call that hangs cannot keep us leading.
      const lose = () => leading.abort(lost);
      const cancel = clock.after(Math.max(0, this.#validUntilMs - monotonicMs()), lose);
      try {
        await sleep(clock, retryMs, leading.signal);
        if (!this.leading) {
          lose(); // this process was frozen
          return;
        }
        const renewed = await this.#write(identity, leading.signal);
        if (!renewed && (await this.#look(leading.signal)) > 0) {
          this.#validUntilMs = Number.NEGATIVE_INFINITY;
          lose(); // another holds it
        }
      } catch (err) {
        if (!leading.signal.aborted) logger.warn({ err }, 'cannot renew the lease');
      } finally {
        cancel();
      }
    }
  }

  /** Gives the lease back, so that another need not wait; best effort, because it runs out anyway. */
  async #release(): Promise<void> {
    const held = this.leading;
    this.#validUntilMs = Number.NEGATIVE_INFINITY;
    if (!held) return;
    try {
      await this.#write(undefined, new AbortController().signal);
    } catch (err) {
      this.#ports.logger.warn({ err }, 'cannot give the lease back');
    }
  }

  /** Writes the lease with `holder` over the version last seen; false when somebody else was faster. */
  async #write(holder: string | undefined, signal: AbortSignal): Promise<boolean> {
    const { client, monotonicMs } = this.#ports;
    const sentAtMs = monotonicMs();
    const deadlineMs = holder && this.leading ? this.#validUntilMs - sentAtMs : 2 * this.#options.retryMs;
    const call: CallOptions = { signal, deadlineMs, priority: 'safety' };
    const next = this.#next(holder);
    try {
      this.#lease = await (this.#lease ? client.replace(leases, next, call) : client.create(leases, next, call));
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return false;
      throw error;
    }
    this.#changedAtMs = monotonicMs();
    this.#heardAtMs = this.#changedAtMs;
    if (holder) this.#validUntilMs = sentAtMs + this.#options.renewMs;
    return true;
  }

  #next(holder: string | undefined): Lease {
    const { namespace, name, leaseMs } = this.#options;
    const now = new Date(this.#ports.clock.now()).toISOString().replace('Z', '000Z'); // MicroTime has six digits
    const before = this.#lease?.spec;
    const changesHands = holder !== undefined && before?.holderIdentity !== holder;
    const { holderIdentity: _, ...kept } = before ?? {};
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: this.#lease?.metadata ?? { namespace, name },
      spec: {
        ...kept,
        ...(holder !== undefined && { holderIdentity: holder }),
        leaseDurationSeconds: holder ? Math.ceil(leaseMs / 1000) : 1,
        renewTime: now,
        acquireTime: changesHands ? now : (before?.acquireTime ?? now),
        leaseTransitions: (before?.leaseTransitions ?? 0) + (changesHands && before ? 1 : 0),
      },
    };
  }
}
