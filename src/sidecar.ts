#!/usr/bin/env node
// The evaluator, beside an application or on its own: composition root.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { aborted } from './base/aborted.ts';
import { systemClock } from './base/clock.ts';
import { codes, SluiceError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import { ClientKeys } from './evaluator/client-keys.ts';
import { clientServer } from './evaluator/client-server.ts';
import { EvaluationCounts } from './evaluator/evaluation-counts.ts';
import { evaluatorMetrics } from './evaluator/evaluator-metrics.ts';
import { EventStreams } from './evaluator/event-stream.ts';
import { createEventMetrics } from './evaluator/events/event-metrics.ts';
import { startEvents } from './evaluator/events/start-events.ts';
import type { CheckServer } from './evaluator/ext-authz/check-server.ts';
import type { ExtAuthzPorts } from './evaluator/ext-authz/start-ext-authz.ts';
import { healthServer } from './evaluator/health-server.ts';
import { MAX_BODY_BYTES } from './evaluator/http-app.ts';
import { Load } from './evaluator/load.ts';
import { HELP, parseOptions, type SidecarOptions } from './evaluator/options.ts';
import { Readiness } from './evaluator/readiness.ts';
import { evaluatorServer } from './evaluator/server.ts';
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
/** Of each port: those of clients, which anyone can open, keep none of servers out. */
const MAX_EVENT_STREAMS = 1_000;
/** Half of what a container of 128 MiB has left beside Node itself. */
const LOAD_LIMITS = { requests: 2_000, bodyBytes: 16 * MAX_BODY_BYTES, largestBodyBytes: MAX_BODY_BYTES };

/** Anyone can send these: they have room of their own, so that no other request is refused for them. */
const CLIENT_LIMITS = { requests: 1_000, bodyBytes: 8 * MAX_BODY_BYTES, largestBodyBytes: MAX_BODY_BYTES };

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
  const clientKeys = options.clients && (await ClientKeys.read(options.clients.keyFile));
  const tracing = await tracingOf(process.env, logger);
  const { stream, failClosedAfterMs: expiresAfterMs } = options;
  const changesFlagSet = options.files.length > 0;
  const holder = new RulesetHolder({ clock, logger, flagSetId: stream?.flagSetId, changesFlagSet, expiresAfterMs });
  const keeper = options.stateDir === undefined ? undefined : new LastGoodKeeper(options.stateDir, logger);
  const keys = keyFiles(options.publicKeys);
  const counts = new EvaluationCounts();
  const streams = new EventStreams(clock, MAX_EVENT_STREAMS);
  const clientStreams = clientKeys && new EventStreams(clock, MAX_EVENT_STREAMS);
  const load = new Load(LOAD_LIMITS);
  const clientLoad = new Load(CLIENT_LIMITS);
  const loads = [load, clientLoad];
  const lastGoodFailures = () => keeper?.failures ?? 0;
  const allStreams = clientStreams ? [streams, clientStreams] : [streams];
  const parts = { holder, clock, counts, streams: allStreams, loads, lastGoodFailures };
  const registry = evaluatorMetrics(parts);
  const { readyWithoutAfterMs } = options;
  const readiness = new Readiness({ holder, clock, logger, readyWithoutAfterMs });
  const health = healthServer(() => (signal.aborted ? 'stopping' : readiness.why), registry);
  const ruleset = () => holder.current?.compiled;
  const counters = createEventMetrics(registry);
  const ports = { clock, random: Math.random, logger, counters, ruleset };
  const events = options.events && (await startEvents(options.events, ports));
  const answers = { holder, clock, logger, counts, streams, events, tracing };
  const app = evaluatorServer({ ...answers, publicKeys: keys }, load);
  const access = clientKeys && { keys: clientKeys, origins: new Set(options.clients?.origins) };
  const clientApp = access && clientStreams && clientServer({ ...answers, streams: clientStreams }, clientLoad, access);
  const following = clientKeys?.follow({ clock, logger }, signal);
  let gateway: CheckServer | undefined;
  try {
    const evaluation = await listen(app, '--port', options.evaluation);
    const healthAt = await listen(health, '--health-port', options.health);
    const clients = clientApp && options.clients && (await listen(clientApp, '--client-port', options.clients));
    gateway = options.extAuthz && (await serveGateway(options.extAuthz, { holder, clock, logger, counts, registry }));
    logger.info({ evaluation, health: healthAt, clients, extAuthzPort: gateway?.port }, 'listening');
    if (keeper && options.stateDir !== undefined) await beginWithLastGood(holder, keeper, options.stateDir, keys?.());
    const sources = await sourcesOf(options, { keys, logger, holder, counts });
    await Promise.all(sources.map((source) => source.run((news) => holder.take(news), signal)));
    await aborted(signal);
  } finally {
    stop.abort();
    // Whoever never finishes a request would hold the stop up.
    const giveUp = clock.after(STOP_MS, () => {
      app.server.closeAllConnections();
      clientApp?.server.closeAllConnections();
    });
    await Promise.all([app.close(), clientApp?.close(), gateway?.stop(STOP_MS)]);
    giveUp();
    await following;
    await events?.stop();
    await tracing?.stop();
    readiness.stop();
    holder.stop();
    await keeper?.settled();
    await health.close();
  }
  logger.info({}, 'stopped');
}

/** By OpenTelemetry's environment variables. It is loaded only where they ask for it: memory and start are as without it. */
async function tracingOf(env: NodeJS.ProcessEnv, logger: Logger) {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint || env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { startTracing } = await import('./evaluator/tracing.ts');
  return startTracing(env, { clock, logger });
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
async function sourcesOf(
  options: SidecarOptions,
  { keys, logger, holder, counts }: SourceParts,
): Promise<RulesetSource[]> {
  const { files, boot, watch, namespace, stream } = options;
  if (files.length > 0) {
    // With it come YAML and all rules of the resources: in a pod they would be loaded for nothing.
    const { fileSource } = await import('./evaluator/file-source.ts');
    return [fileSource({ paths: files, watch, namespace, pollMs: FILE_POLL_MS }, { clock, logger })];
  }
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
