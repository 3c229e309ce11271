#!/usr/bin/env node
// The evaluator, beside an application or on its own: composition root.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { aborted } from './base/aborted.ts';
import { systemClock } from './base/clock.ts';
import { codes, SluiceError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { EvaluationCounts } from './evaluator/evaluation-counts.ts';
import { evaluatorMetrics } from './evaluator/evaluator-metrics.ts';
import { EventStreams } from './evaluator/event-stream.ts';
import { createEventMetrics } from './evaluator/events/event-metrics.ts';
import { startEvents } from './evaluator/events/start-events.ts';
import type { CheckServer } from './evaluator/ext-authz/check-server.ts';
import type { ExtAuthzPorts } from './evaluator/ext-authz/start-ext-authz.ts';
import { fileSource } from './evaluator/file-source.ts';
import { healthServer } from './evaluator/health-server.ts';
import { Load } from './evaluator/load.ts';
import { HELP, parseOptions, type SidecarOptions } from './evaluator/options.ts';
import { Readiness } from './evaluator/readiness.ts';
import { evaluatorServer, MAX_BODY_BYTES } from './evaluator/server.ts';
import { RulesetHolder } from './rulesets/holder.ts';
import { keyFiles } from './rulesets/key-files.ts';
import { LastGoodKeeper, readLastGood } from './rulesets/last-good.ts';
import { snapshotFile } from './rulesets/snapshot-file.ts';
import type { KeyRing, RulesetSource, TrustedKeys } from './rulesets/source.ts';
import { streamSource } from './rulesets/stream-source.ts';

const FILE_POLL_MS = 100;
/** One look at a file; the kubelet itself brings changes of ConfigMaps within a minute or so. */
const BOOT_POLL_MS = 1_000;
/** Less than the 30 s that Kubernetes gives. */
const STOP_MS = 5_000;
const MAX_EVENT_STREAMS = 1_000;
/** Half of what a container of 128 MiB has left beside Node itself. */
const LOAD_LIMITS = { requests: 2_000, bodyBytes: 16 * MAX_BODY_BYTES, largestBodyBytes: MAX_BODY_BYTES };

const clock = systemClock;

try {
  const options = parseOptions(process.argv.slice(2));
  if (options) await run(options);
  else process.stdout.write(HELP);
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  process.stderr.write(`error: ${error.message}\n       ${codes[error.code].fix}\n`);
  process.exitCode = 1;
}

async function run(options: SidecarOptions): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const { signal } = stop;
  const logger = pino({
    level: options.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  });
  const { stream, failClosedAfterMs: expiresAfterMs } = options;
  const holder = new RulesetHolder({ clock, logger, flagSetId: stream?.flagSetId, expiresAfterMs });
  const keeper = options.stateDir === undefined ? undefined : new LastGoodKeeper(options.stateDir, logger);
  const keys = keyFiles(options.publicKeys);
  const counts = new EvaluationCounts();
  const streams = new EventStreams(clock, MAX_EVENT_STREAMS);
  const load = new Load(LOAD_LIMITS);
  const parts = { holder, clock, counts, streams, load, lastGoodFailures: () => keeper?.failures ?? 0 };
  const registry = evaluatorMetrics(parts);
  const { readyWithoutAfterMs } = options;
  const readiness = new Readiness({ holder, clock, logger, readyWithoutAfterMs });
  const health = healthServer(() => (signal.aborted ? 'stopping' : readiness.why), registry);
  const ruleset = () => holder.current?.compiled;
  const counters = createEventMetrics(registry);
  const ports = { clock, random: Math.random, logger, counters, ruleset };
  const events = options.events && (await startEvents(options.events, ports));
  const app = evaluatorServer({ holder, clock, logger, counts, streams, events, publicKeys: keys }, load);
  let gateway: CheckServer | undefined;
  try {
    const evaluation = await listen(app, '--port', options.evaluation);
    const healthAt = await listen(health, '--health-port', options.health);
    gateway = options.extAuthz && (await serveGateway(options.extAuthz, { holder, clock, logger, counts, registry }));
    logger.info({ evaluation, health: healthAt, extAuthzPort: gateway?.port }, 'listening');
    if (keeper && options.stateDir !== undefined) await beginWithLastGood(holder, keeper, options.stateDir, keys?.());
    const sources = sourcesOf(options, { keys, logger, holder, counts });
    await Promise.all(sources.map((source) => source.run((news) => holder.take(news), signal)));
    await aborted(signal);
  } finally {
    // Whoever never finishes a request would hold the stop up.
    const giveUp = clock.after(STOP_MS, () => app.server.closeAllConnections());
    await Promise.all([app.close(), gateway?.stop(STOP_MS)]);
    giveUp();
    await events?.stop();
    readiness.stop();
    holder.stop();
    await keeper?.settled();
    await health.close();
  }
  logger.info({}, 'stopped');
}

/** Answers by what was kept from before, and keeps what comes. */
async function beginWithLastGood(
  holder: RulesetHolder,
  keeper: LastGoodKeeper,
  stateDir: string,
  keys: TrustedKeys | undefined,
): Promise<void> {
  // It was checked before it was kept: without the mounted key, as when the ConfigMap is gone, it is better than no answer.
  const kept = await readLastGood(stateDir, keys?.size === 0 ? undefined : keys);
  if (kept) holder.take(kept);
  let keptDigest = holder.current?.digest;
  holder.subscribe(({ digest, bytes }) => {
    if (digest !== keptDigest) keeper.keep(bytes); // a time boundary is no news
    keptDigest = digest;
  });
}

interface SourceParts {
  readonly keys: KeyRing | undefined;
  readonly logger: Logger;
  readonly holder: RulesetHolder;
  readonly counts: EvaluationCounts;
}

/** All speak at the same time: of what they bring the newest revision answers. */
function sourcesOf(options: SidecarOptions, { keys, logger, holder, counts }: SourceParts): RulesetSource[] {
  const { files, boot, watch, namespace, stream } = options;
  if (files.length > 0)
    return [fileSource({ paths: files, watch, namespace, pollMs: FILE_POLL_MS }, { clock, logger })];
  const mounted = boot === undefined ? [] : [snapshotFile(boot, { clock, keys, pollMs: BOOT_POLL_MS })];
  if (!stream) return mounted;
  const running = () => {
    const { current } = holder;
    return current && { revision: current.compiled.revision, digest: current.digest };
  };
  const ports = { clock, random: Math.random, logger, running, takeEvaluated: () => counts.takeEvaluated() };
  return [...mounted, streamSource({ ...stream, keys }, ports)];
}

/** gRPC is loaded only where a gateway asks: it costs every other sidecar memory. */
async function serveGateway(at: SidecarOptions['evaluation'], ports: ExtAuthzPorts): Promise<CheckServer> {
  const { startExtAuthz } = await import('./evaluator/ext-authz/start-ext-authz.ts');
  try {
    return await startExtAuthz(at, ports);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_SIDECAR_ARGUMENT', `--ext-authz-port: ${why}`, {}, cause);
  }
}

async function listen(app: FastifyInstance, option: string, at: SidecarOptions['health']): Promise<string> {
  try {
    await app.listen(at);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_SIDECAR_ARGUMENT', `${option}: ${why}`, {}, cause);
  }
  const { address, port } = app.server.address() as AddressInfo;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
