import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { waitFor } from '../../hack/cluster/wait.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import type { EpochMs } from '../../src/base/units.ts';
import { issueServingCertificate } from '../../src/kube/certificates.ts';
import type { Running } from '../../src/rulesets/acknowledger.ts';
import { Authoriser, type Identity, type Reviewer } from '../../src/rulesets/authoriser.ts';
import type { RulesetHolder } from '../../src/rulesets/holder.ts';
import { RulesetHub } from '../../src/rulesets/hub.ts';
import type { News, TrustedKeys } from '../../src/rulesets/source.ts';
import { reloadTls, type StreamLimits, type StreamTls, streamServer } from '../../src/rulesets/stream-server.ts';
import { streamSource } from '../../src/rulesets/stream-source.ts';
import type { Ruleset } from '../../src/wire/ruleset.ts';
import { type SealedRuleset, type SigningKey, sealRuleset } from '../../src/wire/sealed-ruleset.ts';
import { encodeSnapshot } from '../../src/wire/snapshot.ts';
import { FakeClock } from './fake-clock.ts';
import { flagWith, rulesetWith } from './ruleset.ts';

export const HOUR_MS = 3_600_000;

export function identityWith(parts: Partial<Identity> = {}): Identity {
  const expiresAt = (Date.now() + HOUR_MS) as EpochMs;
  const user = 'system:serviceaccount:shop:web';
  return { user, uid: 'u', groups: [], extra: {}, home: 'shop', pod: undefined, expiresAt, ...parts };
}

/** A certificate of the stream on loopback, and its authority. */
export const issueTls = () =>
  issueServingCertificate({
    hosts: ['127.0.0.1'],
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + HOUR_MS),
  });

/** A file with that authority, as evaluators read it; removed with the test. */
export async function caFileOf({ ca }: { readonly ca: string }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-ca-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'ca.crt');
  await writeFile(file, ca);
  return file;
}

/** A ruleset of `shop`; larger ones by `bytes` of text that does not compress. */
export function sealedWith(revision: number, { key, text = '' }: { key?: SigningKey; text?: string } = {}) {
  const flag = flagWith({ type: 'string', variants: { on: text, off: '' } });
  const issuedAt = new Date().toISOString();
  const ruleset: Ruleset = { ...rulesetWith({ checkout: flag }), revision, issuedAt };
  return sealRuleset(ruleset, key);
}

export const contentOf = (sealed: SealedRuleset): string => encodeSnapshot(sealed).toString('base64');

export const give = (hub: RulesetHub, sealed: SealedRuleset): void => hub.publish(sealed, contentOf(sealed));

/** The operator's end of the stream, over loopback; tokens are known by `tokens`. */
export class TestOperator {
  readonly tokens = new Map<string, Identity>([['good', identityWith()]]);
  /** `<user> <flag set>` */
  readonly rights = new Set<string>();
  readonly sockets = new Set<Socket>();
  hub: RulesetHub | undefined;
  address = '';
  /** Whether tokens cannot be reviewed. */
  isAway = false;
  /** What each review waits for. */
  beforeReview = async (): Promise<void> => {};
  readonly #app;

  readonly #tls: StreamTls | undefined;

  constructor({ streams = 5_000, bodyBytes = 32 * 1_048_576, tls }: Partial<StreamLimits> & { tls?: StreamTls } = {}) {
    this.#tls = tls;
    const reviewer: Reviewer = {
      identify: async (token) => {
        await this.beforeReview();
        if (this.isAway) throw new Error('no API server');
        return this.tokens.get(token.reveal());
      },
      mayRead: async ({ user }, flagSetId) => this.rights.has(`${user} ${flagSetId}`),
    };
    const authoriser = new Authoriser(reviewer, systemClock);
    const ports = { hub: () => this.hub, authoriser, clock: systemClock, logger: silent };
    this.#app = streamServer(ports, { streams, bodyBytes }, tls);
    this.#app.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async start(port = 0): Promise<number> {
    await this.#app.listen({ host: '127.0.0.1', port });
    onTestFinished(() => this.stop());
    const chosen = (this.#app.server.address() as AddressInfo).port;
    this.address = `${this.#tls ? 'https' : 'http'}://127.0.0.1:${chosen}`;
    return chosen;
  }

  reload(tls: StreamTls): void {
    reloadTls(this.#app, tls);
  }

  lead(): RulesetHub {
    this.hub = new RulesetHub({ clock: systemClock, onReach: () => {} });
    return this.hub;
  }

  async stop(): Promise<void> {
    this.hub?.close();
    this.hub = undefined;
    await this.#app.close();
  }
}

/** Replaces the hub's clock by hand: what it reports is looked at at once. */
export function reachNow(operator: TestOperator): {
  hub: RulesetHub;
  reach: () => Promise<ReturnType<RulesetHub['reach']>>;
} {
  const clock = new FakeClock(Date.now());
  const hub = new RulesetHub({ clock, onReach: () => {} });
  operator.hub = hub;
  return {
    hub,
    reach: async () => {
      await clock.advance(10_000);
      return hub.reach('shop');
    },
  };
}

export interface TestEvaluator {
  readonly news: News[];
  readonly evaluated: Set<string>;
  readonly running: () => Running | undefined;
  readonly setToken: (token: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface EvaluatorOptions {
  readonly subscriber?: string;
  readonly flagSetId?: string;
  readonly keys?: TrustedKeys;
  readonly token?: string;
  readonly caFile?: string;
  readonly clock?: Clock;
  /** Decides what is run; default: whatever came last. */
  readonly holder?: RulesetHolder;
}

/** An evaluator's end. */
export async function startEvaluator(
  address: string,
  {
    subscriber = 'pod-1',
    flagSetId = 'shop',
    keys,
    token = 'good',
    caFile,
    clock = systemClock,
    holder,
  }: EvaluatorOptions = {},
): Promise<TestEvaluator> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-stream-'));
  const tokenFile = join(folder, 'token');
  const setToken = (text: string) => writeFile(tokenFile, text);
  await setToken(token);
  const news: News[] = [];
  const evaluated = new Set<string>();
  let last: Running | undefined;
  const held = (): Running | undefined =>
    holder?.current && { revision: holder.current.compiled.revision, digest: holder.current.digest };
  const running = () => (holder ? held() : last);
  const end = new AbortController();
  const source = streamSource(
    { address, flagSetId, subscriber, tokenFile, caFile, keys: keys && (() => keys) },
    {
      clock,
      random: () => 0.02, // of 2 s: tests need not wait for the jitter
      logger: silent,
      running,
      takeEvaluated: () => {
        const keys = [...evaluated];
        evaluated.clear();
        return keys;
      },
    },
  );
  const done = source.run((one) => {
    news.push(one);
    holder?.take(one);
    if (one.kind === 'Ruleset') last = { revision: one.snapshot.ruleset.revision, digest: one.snapshot.digest };
  }, end.signal);
  const stop = async () => {
    end.abort();
    await done;
    await rm(folder, { recursive: true, force: true });
  };
  onTestFinished(stop);
  return { news, evaluated, running, setToken, stop };
}

export const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<unknown> =>
  waitFor(async () => holds(), { what, timeoutMs: 20_000, everyMs: 5 });
