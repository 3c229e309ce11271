import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { backoffMs } from '../base/backoff.ts';
import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';

const CONNECT_MS = 5_000;
const COMMAND_MS = 2_000;
/** Longer than a command may take: the connection itself is given up. */
const SILENCE_MS = 5_000;
const RECONNECT = { firstMs: 250, maxMs: 5_000 };
const MAX_FILE_BYTES = 65_536;
const MAX_MESSAGE_CHARS = 300;

export interface RedisSettings {
  /** `redis://` or `rediss://` (TLS), with a user where there is one, and never a password. */
  readonly url: string;
  /** Read at each connection, so that a password may be changed while the operator runs. */
  readonly passwordFile?: string | undefined;
  /** Authorities in PEM that sign the server's certificate, instead of the system's. */
  readonly caFile?: string | undefined;
}

export interface RedisLinkPorts {
  readonly random: Random;
  readonly logger: Logger;
  /** Each time the connection stands; nothing is known of what Redis has by then. */
  onReady(): void;
  onMessage(message: string): void;
}

/** The one connection to Redis: comes back by itself, for ever, and what is asked meanwhile fails at once. */
export class RedisLink {
  /** Its commands reject within 2 s. What they reject with may hold the password: pass it to `failed`, and nowhere else. */
  readonly redis: Redis;
  readonly #ports: RedisLinkPorts;
  readonly #address: string;
  #failures = 0;
  /** What was told last, so that the same is not told again and again. */
  #told = '';

  constructor(settings: RedisSettings, channel: string, ports: RedisLinkPorts) {
    this.#ports = ports;
    const url = new URL(settings.url);
    this.#address = url.host;
    this.redis = new Redis(this.#optionsOf(settings, url));
    this.redis.on('error', (error) => this.failed(error));
    this.redis.on('ready', () => {
      // Redis answers commands on a connection that is subscribed, from version 6 on (RESP3).
      this.redis.subscribe(channel).then(
        () => {
          if (this.#told !== '') ports.logger.info({ redis: this.#address }, 'Redis is back');
          this.#told = '';
          ports.onReady();
        },
        (error) => this.failed(error),
      );
    });
    this.redis.on('message', (_channel, message) => ports.onMessage(message));
  }

  get isUp(): boolean {
    return this.redis.status === 'ready';
  }

  /** Commands and connections that failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** Returns at once; tries until `stop`. */
  start(): void {
    this.redis.connect().catch(() => {}); // told by the event `error`
  }

  stop(): void {
    this.redis.disconnect();
  }

  /** Counts a failure, and tells it unless it is the one that was told last. */
  failed(error: unknown): void {
    this.#failures++;
    const { code, message } = this.#coded(error);
    if (message === this.#told) return;
    this.#told = message;
    this.#ports.logger.warn({ code, redis: this.#address }, message);
  }

  #coded(error: unknown): SluiceError {
    if (error instanceof SluiceError) return error;
    const { name, message, code: cause } = error as Error & { readonly code?: string };
    const code = name === 'ReplyError' ? 'SLUICE_REDIS_REFUSED' : 'SLUICE_REDIS_UNREACHABLE';
    // An old server quotes the command that it does not know, and that one has the password in it. So no `cause` either.
    const said = (message || (cause ?? name))
      .replace(/,? with args beginning with.*$/s, '')
      .slice(0, MAX_MESSAGE_CHARS);
    return new SluiceError(code, `${this.#address}: ${said}`);
  }

  #optionsOf(settings: RedisSettings, url: URL) {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 6379),
      db: Number(url.pathname.slice(1) || 0),
      ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
      ...this.#trustOf(settings),
      connectionName: 'sluice-operator',
      lazyConnect: true,
      autoResubscribe: false, // done above
      connectTimeout: CONNECT_MS,
      commandTimeout: COMMAND_MS,
      socketTimeout: SILENCE_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // After a failover: the former primary.
      reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
      retryStrategy: (attempt: number) => {
        Object.assign(this.redis.options, this.#trustOf(settings));
        return backoffMs(attempt, RECONNECT, this.#ports.random);
      },
    };
  }

  /** Password and authorities as their files have them now. Where they cannot be read, nobody is trusted. */
  #trustOf({ url, passwordFile, caFile }: RedisSettings) {
    const password = passwordFile === undefined ? undefined : this.#contentOf(passwordFile)?.trim();
    if (!url.startsWith('rediss:')) return { password };
    return { password, tls: caFile === undefined ? {} : { ca: this.#contentOf(caFile) ?? [] } };
  }

  #contentOf(path: string): string | undefined {
    try {
      const text = readFileSync(path, 'utf8');
      if (text.length <= MAX_FILE_BYTES) return text;
      this.failed(new Error(`${path} is larger than ${MAX_FILE_BYTES} bytes`));
    } catch (error) {
      this.failed(error);
    }
    return undefined;
  }
}
