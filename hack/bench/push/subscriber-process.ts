import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SubscriberOptions } from './light-subscriber.ts';

export interface SubscribersArguments extends Omit<SubscriberOptions, 'subscriber'> {
  /** Begins the name of each. */
  readonly name: string;
  readonly count: number;
  /** How many do all that a sidecar does; the others share the judging. */
  readonly full: number;
}

/** One subscriber runs another ruleset. */
export interface Ran {
  readonly subscriber: string;
  readonly revision: number;
  /** When the operator made the ruleset. */
  readonly issuedAtMs: number;
  readonly atMs: number;
}

/** Subscribers in processes of their own, and what each runs. */
export class Subscribers {
  readonly #children: ChildProcess[] = [];
  readonly #ran: Ran[] = [];
  readonly #running = new Map<string, number>();
  readonly #count: number;
  #problem: string | undefined;

  constructor(all: readonly SubscribersArguments[]) {
    this.#count = all.reduce((sum, { count }) => sum + count, 0);
    for (const one of all) {
      const child = fork(join(import.meta.dirname, 'subscribers.ts'), [JSON.stringify(one)]);
      child.on('message', (news: Ran[]) => this.#take(news));
      child.on('exit', (status) => {
        this.#problem = `subscribers ${one.name} ended with ${status}`;
      });
      this.#children.push(child);
    }
  }

  /** Whether everyone runs a revision above this one. Throws when a process has ended. */
  allBeyond(revision: number): boolean {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    return this.#running.size === this.#count && [...this.#running.values()].every((one) => one > revision);
  }

  /** The newest revision that anyone runs. */
  get newest(): number {
    return Math.max(0, ...this.#running.values());
  }

  /** For each the first ruleset beyond this revision. */
  firstBeyond(revision: number): Ran[] {
    const first = new Map<string, Ran>();
    for (const one of this.#ran)
      if (one.revision > revision && !first.has(one.subscriber)) first.set(one.subscriber, one);
    return [...first.values()];
  }

  async stop(): Promise<void> {
    for (const child of this.#children) if (child.exitCode === null && child.connected) child.disconnect();
    await Promise.all(this.#children.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'exit')));
  }

  #take(news: readonly Ran[]): void {
    this.#ran.push(...news);
    for (const { subscriber, revision } of news) this.#running.set(subscriber, revision);
  }
}
