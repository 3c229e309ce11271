import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { freePorts } from '../../hack/bench/rollback/free-ports.ts';
import { toStderr } from '../../hack/cluster/progress.ts';
import { ensurePackages, redisPackages } from '../../hack/cluster/system-packages.ts';
import { waitFor } from '../../hack/cluster/wait.ts';
import type { TestCertificate } from './certificates.ts';

interface RedisOptions {
  readonly password?: string;
  /** It then speaks TLS only. */
  readonly certificate?: TestCertificate;
}

/** A real Redis on loopback that keeps nothing on disk. */
export class RealRedis {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  readonly #options: RedisOptions;
  #child: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(port: number, options: RedisOptions) {
    this.port = port;
    this.#options = options;
  }

  /** For the time of one test. */
  static async start(options: RedisOptions = {}): Promise<RealRedis> {
    await ensurePackages(redisPackages, AbortSignal.timeout(300_000), toStderr);
    const [port = 0] = await freePorts(1);
    const redis = new RealRedis(port, options);
    onTestFinished(() => redis.#remove());
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `${this.#options.certificate ? 'rediss' : 'redis'}://127.0.0.1:${this.port}`;
  }

  /** For looking and meddling. */
  get admin(): Redis {
    if (!this.#admin) throw new Error('Redis does not run');
    return this.#admin;
  }

  /** A file of its folder. */
  file(name: string, content: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** Starts it, empty, on the same port. */
  async restart(): Promise<void> {
    const { certificate, password } = this.#options;
    const plain = certificate ? ['--port', '0', '--tls-port', `${this.port}`] : ['--port', `${this.port}`];
    const args = [...plain, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    if (certificate) {
      const [cert, key] = [this.file('tls.crt', certificate.cert), this.file('tls.key', certificate.key)];
      args.push('--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no');
    }
    if (password !== undefined) args.push('--requirepass', password);
    this.#child = spawn('redis-check-rdb', args, { argv0: 'redis-server', stdio: 'ignore' });
    const admin = new Redis({
      port: this.port,
      host: '127.0.0.1',
      ...(password !== undefined && { password }),
      ...(certificate && { tls: { rejectUnauthorized: false } }),
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    admin.on('error', () => {}); // until it listens
    this.#admin = admin;
    await waitFor(async () => (await admin.ping()) === 'PONG', { what: 'Redis', timeoutMs: 20_000, everyMs: 20 });
  }

  async kill(): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = undefined;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It stays connected and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async #remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
