// The operator: composition root. The only place that builds real clocks, clients and sockets and wires them.
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { parse as parseYaml } from 'yaml';
import { parseDuration } from './api/duration.ts';
import { type OperatorConfig, parseOperatorConfig } from './api/operator-config.ts';
import { aborted } from './base/aborted.ts';
import { systemClock } from './base/clock.ts';
import { FlagInformers } from './controllers/feature-flag/informers.ts';
import { loadInstallation } from './controllers/feature-flag/installation.ts';
import { removeRulesets } from './controllers/feature-flag/remove-rulesets.ts';
import { changesFlag } from './controllers/feature-flag/rollout-flags.ts';
import { PodsWithoutSidecar } from './controllers/injection/pods-without-sidecar.ts';
import { GATE, LEADER_LEASE } from './controllers/installation.ts';
import { EvaluatorReach } from './controllers/rollout/evaluator-reach.ts';
import { warnOfForeignUser } from './controllers/rollout/gate-identity.ts';
import { RolloutInformers } from './controllers/rollout/informers.ts';
import type { CustomObject } from './controllers/rollout/sources.ts';
import { uninstall } from './controllers/rollout/uninstall.ts';
import { applyDefinitions, type Definition } from './kube/apply-definitions.ts';
import { CallerClients } from './kube/caller-clients.ts';
import { createClient } from './kube/create-client.ts';
import { EventRecorder } from './kube/events.ts';
import type { OnBreak } from './kube/informer-set.ts';
import { LeaderElection } from './kube/leader-election.ts';
import type { Worker } from './kube/worker.ts';
import { makeGate } from './operator/gate.ts';
import { leadFlags } from './operator/lead-flags.ts';
import { leadMetrics, leadRollouts } from './operator/lead-rollouts.ts';
import type { Surroundings } from './operator/surroundings.ts';
import { ApiService } from './server/api/api-service.ts';
import { KubeCalls } from './server/kube-calls.ts';
import { OperatorMetrics } from './server/operator-metrics.ts';
import { startProbeServers } from './server/probe-servers.ts';
import { RulesetService } from './server/ruleset-service.ts';
import { SharedRulesets } from './server/shared-rulesets.ts';

// What lives is small beside what passes through at a start; by default the heap may double before V8 looks (110 MB with
// 10,000 pods in the caches).
setFlagsFromString('--heap-growing-percent=20');

const help = `usage: operator run [--config FILE]    run the operator
       operator apply-crds FOLDER     make or replace the definitions in FOLDER (the chart's pre-upgrade hook)
       operator uninstall [--timeout DURATION]
                                      delete all Rollouts, each restored, then the gate; fail after so long (10m)
       operator remove-rulesets       delete the rulesets of all namespaces, once no operator runs

  POD_NAME, POD_NAMESPACE                   who and where this is
  WEBHOOK_PORT, HEALTH_PORT, METRICS_PORT   where it listens: 9443, 8081, 8080
  RULESETS_PORT                             where evaluators get their rulesets: 8082
  API_PORT                                  where flags are changed over HTTP, if it is switched on: 8443
`;

/** A page of the HTTP API; what is larger is asked for in smaller pages. */
const MAX_API_ANSWER_BYTES = 4 * 1_048_576;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string' }, timeout: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const config: OperatorConfig = parseOperatorConfig(
  values.config === undefined ? '' : readFileSync(values.config, 'utf8'),
);
const timeoutMs = parseDuration(values.timeout ?? '10m');
if (timeoutMs === undefined) throw new Error('--timeout must be a duration such as 255s');
const logger = pino({
  level: config.log.level,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
});
const namespace = process.env.POD_NAMESPACE ?? 'sluice-system';
const instance = process.env.POD_NAME ?? hostname();
const clock = systemClock;
const random = Math.random;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`ended by ${name}`)));

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const calls = new KubeCalls();
const clientFor = (userAgent: string) =>
  createClient(kubeConfig, { logger, clock, random, onTry: calls.tried, userAgent });
const client = clientFor('sluice');
const at: Surroundings = { client, clock, random, logger, config, namespace, instance };

switch (values.help ? 'help' : positionals[0]) {
  case 'run':
    await run(stop.signal);
    break;
  case 'apply-crds':
    await applyDefinitions({ client, clock }, definitionsIn(positionals[1] ?? '/crds'), stop.signal);
    break;
  case 'uninstall':
    await uninstall({ client, clock, logger, gate: GATE }, timeoutMs, stop.signal);
    break;
  case 'remove-rulesets':
    await removeRulesets({ client, logger }, stop.signal);
    break;
  default:
    process.stdout.write(help);
    process.exitCode = values.help ? 0 : 2;
}
await client.close();

function definitionsIn(folder: string): Definition[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => parseYaml(readFileSync(join(folder, file), 'utf8')));
}

/** What a leader works on. */
interface Led {
  readonly rollouts: Worker;
  readonly metrics: Worker;
  readonly flags: Worker;
}

async function run(signal: AbortSignal): Promise<void> {
  let led: Led | undefined;
  const evaluators = new EvaluatorReach();
  const informers = new RolloutInformers(
    at,
    { presetNamespace: namespace, defaultGuardrails: config.defaultGuardrails, evaluators },
    (key) => led?.rollouts.add(key),
    (name, cause) => metrics.watchBroke(name, cause),
  );
  informers.onRollout((before, after) => {
    for (const flagSet of changesFlag(before, after) ? flagSetsOf(before, after) : []) led?.flags.add(flagSet);
  });
  informers.onMetric((key) => led?.metrics.add(key));
  const wake = (flagSet: string) => led?.flags.add(flagSet);
  const changed = (flagSet: string) => {
    wake(flagSet);
    shared?.look(flagSet);
  };
  const onBreak: OnBreak = (name, cause) => metrics.watchBroke(name, cause);
  const ofRollouts = { rollouts: informers.sources.rollouts, home: namespace };
  const flagInformers = new FlagInformers(at, ofRollouts, changed, onBreak);
  const podRecorder = new EventRecorder(at, { controller: 'sluice.dev/injection', instance });
  const lacking = new PodsWithoutSidecar(at, { wake, onBreak, recorder: podRecorder });
  const metrics = new OperatorMetrics({
    calls,
    queue: () => led?.rollouts.backlog ?? 0,
    streams: () => rulesets.subscribers,
    redis: () => shared?.redis,
    podsWithoutSidecar: () => (led ? lacking.counts() : new Map()),
    watchAges: () => [informers, flagInformers, lacking].flatMap((one) => one.watchAges(clock.now())),
  });
  const recorder = new EventRecorder(at, { controller: 'sluice.dev/rollout-controller', instance });
  const flagRecorder = new EventRecorder(at, { controller: 'sluice.dev/flag-controller', instance });
  const api = makeApi(metrics);
  let authorities = '';
  const { webhook, keeper, operatorUser } = makeGate({ ...at, signal }, informers, flagInformers, {
    onCertificate: (pair) => {
      rulesets.reload(pair);
      api?.service.reload(pair);
    },
    onAuthorities: (bundle) => {
      authorities = bundle;
      for (const { metadata } of flagInformers.sources.snapshots.list()) led?.flags.add(metadata.namespace ?? '');
    },
  });
  const reviews = clientFor('sluice-rulesets');
  const election = makeElection((leading) => metrics.setLeading(leading));
  const shared = config.redis && shareRulesets(config.redis, flagInformers, election);
  const rulesets = new RulesetService({ client: reviews, clock, logger, shared });
  let starting: string | undefined = 'the caches are being filled';
  const probes = await startProbeServers(
    { notReady: () => (signal.aborted ? 'stopping' : starting), registry: metrics.registry },
    { healthPort: Number(process.env.HEALTH_PORT ?? 8081), metricsPort: Number(process.env.METRICS_PORT ?? 8080) },
  );
  informers.start();
  flagInformers.start();
  lacking.start();
  keeper.start();
  const serve = async () => {
    await informers.synced;
    const certificate = await keeper.ready;
    await webhook.start(certificate);
    await api?.service.start({ host: '0.0.0.0', port: Number(process.env.API_PORT ?? 8443) }, certificate);
    await rulesets.start({ host: '0.0.0.0', port: Number(process.env.RULESETS_PORT ?? 8082) }, certificate);
    starting = undefined;
    logger.info({ namespace, instance }, 'ready');
    await warnOfForeignUser({ client, logger }, operatorUser, signal);
  };
  await untilServing(serve(), [informers, keeper], signal);

  await election.run(async (leading) => {
    logger.info({ instance }, 'leading');
    const rollouts = leadRollouts(at, { informers, recorder, metrics });
    const judge = leadMetrics(at, informers);
    const hub = rulesets.lead((flagSet) => led?.flags.add(flagSet));
    evaluators.lead(() => hub.running(namespace));
    const parts = { informers: flagInformers, recorder: flagRecorder, metrics, hub, evaluators, lacking };
    const flags = leadFlags(at, { ...parts, authorities: () => authorities }, leading);
    led = { rollouts: rollouts.worker, metrics: judge, flags };
    lacking.lead();
    await aborted(leading);
    led = undefined;
    lacking.follow();
    rulesets.follow();
    evaluators.follow();
    await Promise.all([rollouts.stop(), judge.stop(), flags.stop()]);
  }, signal);

  await api?.stop();
  await webhook.stop();
  const parts = [keeper, informers, flagInformers, lacking, recorder, flagRecorder, rulesets, probes];
  await Promise.all(parts.map((one) => one.stop()));
  await reviews.close();
  logger.info({ instance }, 'stopped');
}

/** The HTTP API where it is switched on. Its clients know the API server's address, and none of our credentials. */
function makeApi(metrics: OperatorMetrics): { readonly service: ApiService; stop(): Promise<void> } | undefined {
  if (!config.api.enabled) return undefined;
  const clients = new CallerClients(kubeConfig, {
    ...{ logger, clock, random, userAgent: 'sluice-api' },
    maxAnswerBytes: MAX_API_ANSWER_BYTES,
  });
  const answered = (operation: string, status: number) => metrics.apiAnswered(operation, status);
  const service = new ApiService({ clients, clock, logger, answered });
  const stop = async () => {
    await service.stop();
    await clients.close();
  };
  return { service, stop };
}

/** With Redis all replicas serve evaluators. */
function shareRulesets(
  redis: NonNullable<OperatorConfig['redis']>,
  { sources }: FlagInformers,
  election: LeaderElection,
): SharedRulesets {
  return new SharedRulesets({
    redis,
    replica: instance,
    snapshots: sources.snapshots,
    loadInstallation: (signal) => loadInstallation(client, namespace, signal),
    silentForMs: () => election.silentForMs,
    ...{ clock, random, logger },
  });
}

/** Or until the signal aborts: caches that cannot be filled, because a definition is missing, would be waited for without end. */
async function untilServing(
  serving: Promise<void>,
  caches: readonly { stop(): Promise<void> }[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.race([serving, aborted(signal)]);
  if (!signal.aborted) return;
  await Promise.all(caches.map((one) => one.stop()));
  await serving.catch(() => {}); // the caches were stopped before
}

/** The rulesets that say something of a Rollout: its namespace's, and that of the gateway's evaluators. */
function flagSetsOf(before: CustomObject | undefined, after: CustomObject | undefined): Set<string> {
  return new Set([namespace, (after ?? before)?.metadata.namespace ?? '']);
}

function makeElection(onChange: (leading: boolean) => void): LeaderElection {
  const identity = `${instance}_${process.pid}_${Date.now()}`;
  const monotonicMs = () => performance.now();
  return new LeaderElection({ ...at, monotonicMs }, { namespace, name: LEADER_LEASE, identity, onChange });
}
