import { Agent, request } from 'node:http';

export interface Crowd {
  /** Where the gateway answers. */
  readonly url: string;
  readonly host: string;
  readonly users: readonly string[];
  /** Sent with each request of a user. */
  headersOf(user: string): Readonly<Record<string, string>>;
}

/** One answer: its status and the version that gave it; status 0 where none came. */
interface Answered {
  readonly status: number;
  readonly version: string | undefined;
  readonly setCookie: readonly string[];
}

const AT_A_TIME = 8;

/**
 * People who come again and again, each with one request at a time, so that what a person sees has an order. Everyone comes
 * once in a round.
 */
export class People {
  readonly #crowd: Crowd;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME * 2 });
  /** Of each person: the versions seen, oldest first, repetitions left out. */
  readonly #seen = new Map<string, string[]>();
  readonly #leaving = new AbortController();
  #coming: Promise<void> = Promise.resolve();
  readonly failures = new Map<string, number>();
  rounds = 0;
  asked = 0;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  /** One round: who saw what in it. */
  async round(signal: AbortSignal): Promise<Map<string, string>> {
    const now = new Map<string, string>();
    const left = [...this.#crowd.users];
    const walk = async () => {
      for (let user = left.pop(); user !== undefined; user = left.pop()) {
        signal.throwIfAborted();
        const { status, version } = await this.ask(this.#crowd.headersOf(user));
        this.asked += 1;
        if (status === 200 && version !== undefined) this.#note(now, user, version);
        else this.failures.set(`${status}`, (this.failures.get(`${status}`) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, walk));
    this.rounds += 1;
    return now;
  }

  /** Round after round, until they leave or the signal. */
  keepComing(signal: AbortSignal): void {
    const either = AbortSignal.any([signal, this.#leaving.signal]);
    this.#coming = (async () => {
      while (!either.aborted) await this.round(either);
    })().catch(() => {}); // only the signal ends a round
  }

  /** Answers when the last of them has left. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#coming;
  }

  /** How many times somebody who had seen `newer` saw `older` again. */
  wentBack(newer: string, older: string): number {
    let count = 0;
    for (const versions of this.#seen.values())
      versions.forEach((version, i) => {
        if (version === older && versions[i - 1] === newer) count += 1;
      });
    return count;
  }

  /** Any request, also one that is nobody's. */
  ask(headers: Readonly<Record<string, string>>, path = '/catalog'): Promise<Answered> {
    const { url, host } = this.#crowd;
    return new Promise((resolve) => {
      const sent = request(`${url}${path}`, { agent: this.#agent, headers: { host, ...headers } }, (answer) => {
        answer.resume();
        answer.on('error', () => resolve(none));
        answer.on('end', () => {
          const version = answer.headers['x-shop-version'];
          const setCookie = answer.headers['set-cookie'] ?? [];
          resolve({ status: answer.statusCode ?? 0, version: version?.toString(), setCookie });
        });
      });
      sent.setTimeout(30_000, () => sent.destroy());
      sent.on('error', () => resolve(none));
      sent.end();
    });
  }

  end(): void {
    this.#agent.destroy();
  }

  #note(now: Map<string, string>, user: string, version: string): void {
    now.set(user, version);
    const versions = this.#seen.get(user) ?? [];
    this.#seen.set(user, versions);
    if (versions.at(-1) !== version) versions.push(version);
  }
}

const none: Answered = { status: 0, version: undefined, setCookie: [] };
