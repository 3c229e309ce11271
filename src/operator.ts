// The operator: composition root. The only place that builds real clocks, clients and sockets and wires them.
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { parse as parseYaml } from 'yaml';
import { type OperatorConfig, parseOperatorConfig } from './api/operator-config.ts';
import { aborted } from './base/aborted.ts';
import { systemClock } from './base/clock.ts';
import type { DurationMs } from './base/units.ts';
import { admitFlag } from './controllers/feature-flag/admit.ts';
import { FlagInformers } from './controllers/feature-flag/informers.ts';
import { loadInstallation } from './controllers/feature-flag/installation.ts';
import { FlagReconciler } from './controllers/feature-flag/reconcile.ts';
import { removeRulesets } from './controllers/feature-flag/remove-rulesets.ts';
import { changesFlag } from './controllers/feature-flag/rollout-flags.ts';
import { claimSnapshot } from './controllers/feature-flag/snapshot-store.ts';
import { admitPod } from './controllers/injection/admit-pod.ts';
import { PodsWithoutSidecar } from './controllers/injection/pods-without-sidecar.ts';
import { GATE, LEADER_LEASE, RULESETS_SERVICE } from './controllers/installation.ts';
import { reconcileMetric } from './controllers/metric/reconcile.ts';
import { EvaluatorReach } from './controllers/rollout/evaluator-reach.ts';
import { admitDeployment } from './controllers/rollout/gate.ts';
import { warnOfForeignUser } from './controllers/rollout/gate-identity.ts';
import { GuardrailPoller } from './controllers/rollout/guardrail-poller.ts';
import { RolloutInformers } from './controllers/rollout/informers.ts';
import { ProviderPool } from './controllers/rollout/provider-pool.ts';
import { RolloutReconciler } from './controllers/rollout/reconcile.ts';
import { uninstall } from './controllers/rollout/uninstall.ts';
import { applyDefinitions, type Definition } from './kube/apply-definitions.ts';
import { CallerClients } from './kube/caller-clients.ts';
import { CertificateKeeper, type KeeperOptions } from './kube/certificate-keeper.ts';
import { createClient } from './kube/create-client.ts';
import { EventRecorder } from './kube/events.ts';
import type { OnBreak } from './kube/informer-set.ts';
import { LeaderElection } from './kube/leader-election.ts';
import { keyOf } from './kube/resource.ts';
import { type Admit, WebhookServer } from './kube/webhook-server.ts';
import { Worker } from './kube/worker.ts';
import { ApiService } from './server/api/api-service.ts';
import { OperatorMetrics } from './server/operator-metrics.ts';
import { startProbeServers } from './server/probe-servers.ts';
import { RulesetService } from './server/ruleset-service.ts';
import { type LeadersHub, SharedRulesets } from './server/shared-rulesets.ts';

// What lives is small beside what passes through at a start; by default the heap may double before V8 looks (110 MB with
// 10,000 pods in the caches).
setFlagsFromString('--heap-growing-percent=20');

const help = `usage: operator run [--config FILE]    run the operator
       operator apply-crds FOLDER     make or replace the definitions in FOLDER (the chart's pre-upgrade hook)
       operator uninstall             delete all Rollouts, each restored, then the gate
       operator remove-rulesets       delete the rulesets of all namespaces, once no operator runs

  POD_NAME, POD_NAMESPACE                   who and where this is
  WEBHOOK_PORT, HEALTH_PORT, METRICS_PORT   where it listens: 9443, 8081, 8080
  RULESETS_PORT                             where evaluators get their rulesets: 8082
  API_PORT                                  where flags are changed over HTTP, if it is switched on: 8443
`;

const CERTIFICATE_LIFETIME_MS = (90 * 86_400_000) as DurationMs;
/** A page of the HTTP API; what is larger is asked for in smaller pages. */
const MAX_API_ANSWER_BYTES = 4 * 1_048_576;
/** The kubelets of all nodes bring a changed ConfigMap within about two minutes. */
const CERTIFICATE_SETTLE_MS = 600_000 as DurationMs;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const config: OperatorConfig = parseOperatorConfig(
  values.config === undefined ? '' : readFileSync(values.config, 'utf8'),
);
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
const client = createClient(kubeConfig, { logger, clock, random, userAgent: 'sluice' });

switch (values.help ? 'help' : positionals[0]) {
  case 'run':
    await run(stop.signal);
    break;
  case 'apply-crds':
    await applyDefinitions({ client, clock }, definitionsIn(positionals[1] ?? '/crds'), stop.signal);
    break;
  case 'uninstall':
    await uninstall({ client, clock, logger, gate: GATE }, stop.signal);
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

/** The HTTP API where it is switched on. Its clients know the API server's address, and none of our credentials. */
function makeApi(
  metrics: OperatorMetrics,
): { readonly service: ApiService; readonly clients: CallerClients } | undefined {
  if (!config.api.enabled) return undefined;
  const clients = new CallerClients(kubeConfig, {
    ...{ logger, clock, random, userAgent: 'sluice-api' },
    maxAnswerBytes: MAX_API_ANSWER_BYTES,
  });
  const answered = (operation: string, status: number) => metrics.apiAnswered(operation, status);
  return { service: new ApiService({ clients, clock, logger, answered }), clients };
}

/** The webhook that holds Deployments and judges flags, and who keeps its certificate: one for all that is served by TLS. */
function makeGate(
  rollouts: RolloutInformers,
  flags: FlagInformers,
  told: Pick<KeeperOptions, 'onCertificate' | 'onAuthorities'>,
) {
  const ports = { client, clock, random, logger };
  const operatorUser = `system:serviceaccount:${namespace}:sluice-operator`;
  const webhook = new WebhookServer(ports, {
    host: '0.0.0.0',
    port: Number(process.env.WEBHOOK_PORT ?? 9443),
    routes: {
      '/gate': admitDeployment(rollouts.sources, operatorUser),
      '/flags': admitFlag(flags.sources, clock),
      ...injectionRoute(flags.sources),
    },
  });
  const keeper = new CertificateKeeper(ports, {
    namespace,
    secretName: 'sluice-webhook-certificates',
    webhookConfigurationName: GATE,
    // The same whether the API is on or not: switching it on must not wait for another certificate. By `localhost` for those who
    // come by a forwarded port.
    hosts: [
      'localhost',
      ...['sluice-webhook', 'sluice-api', RULESETS_SERVICE.name].map((one) => `${one}.${namespace}.svc`),
    ],
    lifetimeMs: CERTIFICATE_LIFETIME_MS,
    settleMs: CERTIFICATE_SETTLE_MS,
    onCertificate: (pair) => {
      webhook.reload(pair);
      told.onCertificate(pair);
    },
    onAuthorities: told.onAuthorities,
  });
  return { webhook, keeper, operatorUser };
}

/** Labelled pods get an evaluator where the configuration names its image. */
function injectionRoute({ snapshots }: FlagInformers['sources']): Record<string, Admit> {
  const { image, ...settings } = config.injection;
  if (image === undefined) return {};
  const operator = `https://${RULESETS_SERVICE.name}.${namespace}.svc:${RULESETS_SERVICE.port}`;
  const claim = (flagSet: string) => claimRuleset(snapshots, flagSet, stop.signal);
  return { '/inject': admitPod({ ...settings, image, operator }, claim) };
}

/** What a leader works on. */
interface Led {
  readonly rollouts: Worker;
  readonly metrics: Worker;
  readonly flags: Worker;
}

async function run(signal: AbortSignal): Promise<void> {
  let led: Led | undefined;
  const ports = { client, clock, random, logger };
  const evaluators = new EvaluatorReach();
  const informers = new RolloutInformers(
    ports,
    { presetNamespace: namespace, defaultGuardrails: config.defaultGuardrails, evaluators },
    (key) => led?.rollouts.add(key),
    (name, cause) => metrics.watchBroke(name, cause),
  );
  informers.onRollout((before, after) => {
    if (!changesFlag(before, after)) return;
    for (const flagSet of new Set([namespace, (after ?? before)?.metadata.namespace ?? ''])) led?.flags.add(flagSet);
  });
  informers.onMetric((key) => led?.metrics.add(key));
  const wake = (flagSet: string) => led?.flags.add(flagSet);
  const changed = (flagSet: string) => {
    wake(flagSet);
    shared?.look(flagSet);
  };
  const onBreak: OnBreak = (name, cause) => metrics.watchBroke(name, cause);
  const ofRollouts = { rollouts: informers.sources.rollouts, home: namespace };
  const flagInformers = new FlagInformers(ports, ofRollouts, changed, onBreak);
  const podRecorder = new EventRecorder(ports, { controller: 'sluice.dev/injection', instance });
  const lacking = new PodsWithoutSidecar(ports, { wake, onBreak, recorder: podRecorder });
  const metrics = new OperatorMetrics({
    queue: () => led?.rollouts.backlog ?? 0,
    streams: () => rulesets.subscribers,
    redis: () => shared?.redis,
    podsWithoutSidecar: () => (led ? lacking.counts() : new Map()),
    watchAges: () => [informers, flagInformers, lacking].flatMap((one) => one.watchAges(clock.now())),
  });
  const recorder = new EventRecorder(ports, { controller: 'sluice.dev/rollout-controller', instance });
  const flagRecorder = new EventRecorder(ports, { controller: 'sluice.dev/flag-controller', instance });
  const api = makeApi(metrics);
  let authorities = '';
  const { webhook, keeper, operatorUser } = makeGate(informers, flagInformers, {
    onCertificate: (pair) => {
      rulesets.reload(pair);
      api?.service.reload(pair);
    },
    onAuthorities: (bundle) => {
      authorities = bundle;
      for (const { metadata } of flagInformers.sources.snapshots.list()) led?.flags.add(metadata.namespace ?? '');
    },
  });
  const reviews = createClient(kubeConfig, { logger, clock, random, userAgent: 'sluice-rulesets' });
  const election = new LeaderElection(
    { ...ports, monotonicMs: () => performance.now() },
    {
      namespace,
      name: LEADER_LEASE,
      identity: `${instance}_${process.pid}_${Date.now()}`,
      onChange: (leading) => metrics.setLeading(leading),
    },
  );
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
  const serving = serve();
  await Promise.race([serving, aborted(signal)]);
  if (signal.aborted) {
    // Caches that cannot be filled, because a definition is missing, would be waited for without end.
    await Promise.all([informers.stop(), keeper.stop()]);
    await serving.catch(() => {}); // the caches were stopped before
  }

  await election.run(async (leading) => {
    logger.info({ instance }, 'leading');
    const rollouts = leadRollouts(informers, recorder, metrics);
    const judge = leadMetrics(informers);
    const hub = rulesets.lead((flagSet) => led?.flags.add(flagSet));
    evaluators.lead(() => hub.running(namespace));
    const parts = { informers: flagInformers, recorder: flagRecorder, metrics, hub, evaluators, lacking };
    const flags = leadFlags({ ...parts, authorities: () => authorities }, leading);
    led = { rollouts: rollouts.worker, metrics: judge, flags };
    lacking.lead();
    await aborted(leading);
    led = undefined;
    lacking.follow();
    rulesets.follow();
    evaluators.follow();
    await Promise.all([rollouts.stop(), judge.stop(), flags.stop()]);
  }, signal);

  await api?.service.stop();
  await api?.clients.close();
  await webhook.stop();
  const parts = [keeper, informers, flagInformers, lacking, recorder, flagRecorder, rulesets, probes];
  await Promise.all(parts.map((one) => one.stop()));
  await reviews.close();
  logger.info({ instance }, 'stopped');
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

/** All Rollouts, from now until `stop`. */
function leadRollouts(informers: RolloutInformers, recorder: EventRecorder, metrics: OperatorMetrics) {
  const pool = new ProviderPool({
    client,
    clock,
    defaultAddress: config.prometheus.address ?? 'http://prometheus.monitoring:9090',
  });
  const poller = new GuardrailPoller({
    clock,
    logger,
    pool,
    sampled: (key, harm) => worker.add(key, { urgent: harm }),
  });
  const reconciler = new RolloutReconciler({
    client,
    sources: informers.sources,
    clock,
    logger,
    poller,
    announce: (about, told) => {
      for (const { type, reason, message } of told)
        recorder.record({ about, type, reason, action: reason, note: message });
    },
    decided: (key, seen, decision) => metrics.decided(key, seen, decision, clock.now()),
    gone: (key) => metrics.forget(key),
  });
  const worker = new Worker(
    { clock, random, logger },
    {
      name: 'rollouts',
      reconcile: reconciler.reconcile,
      onPass: (result, tookMs) => metrics.passed(result, tookMs),
    },
  );
  for (const rollout of informers.sources.rollouts.list()) worker.add(keyOf(rollout.metadata));
  worker.start();
  const stopAll = async () => {
    await worker.stop();
    poller.stop();
    pool.close();
  };
  return { worker, stop: stopAll };
}

/** All Metrics, from now until the worker is stopped. */
function leadMetrics({ sources: { metrics } }: RolloutInformers): Worker {
  const ports = { client, clock, random, logger };
  const worker = new Worker(ports, {
    name: 'metrics',
    reconcile: (key, signal) => reconcileMetric({ client, clock, metrics }, key, signal),
  });
  for (const metric of metrics.list()) worker.add(keyOf(metric.metadata));
  worker.start();
  return worker;
}

interface FlagParts {
  readonly informers: FlagInformers;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly hub: LeadersHub;
  readonly evaluators: EvaluatorReach;
  readonly lacking: PodsWithoutSidecar;
  readonly authorities: () => string;
}

/** All FeatureFlags, by namespace, from now until the worker is stopped. */
function leadFlags(
  { informers, recorder, metrics, hub, evaluators, lacking, authorities }: FlagParts,
  leading: AbortSignal,
): Worker {
  const reconciler = new FlagReconciler({
    client,
    sources: informers.sources,
    loadInstallation: (signal) => loadInstallation(client, namespace, signal),
    authorities,
    clock,
    logger,
    publish: (sealed, content) => {
      const { flagSetId, revision, flags } = sealed.ruleset;
      hub.publish(sealed, content);
      if (flagSetId === namespace) evaluators.published(sealed.ruleset);
      const facts = { flagSetId, revision, digest: sealed.digest, flags: Object.keys(flags).length };
      logger.info(facts, 'evaluators are given this ruleset');
    },
    withdraw: (flagSetId) => hub.withdraw(flagSetId),
    reach: (flagSetId) => hub.reach(flagSetId),
    hasPodsWithout: (flagSet) => lacking.countIn(flagSet) > 0,
    announce: (about, type, reason, note) => recorder.record({ about, type, reason, action: reason, note }),
    counted: (flagSet, counts) => metrics.flagsCounted(flagSet, counts),
  });
  const worker = new Worker(
    { clock, random, logger },
    { name: 'flags', reconcile: reconciler.reconcile, onPass: (result, tookMs) => metrics.passed(result, tookMs) },
  );
  const begin = () => {
    if (leading.aborted) return;
    const { flags, snapshots, rollouts } = informers.sources;
    const sticky = [...rollouts.list()].filter((rollout) => changesFlag(undefined, rollout));
    for (const { metadata } of [...flags.list(), ...snapshots.list(), ...sticky]) worker.add(metadata.namespace ?? '');
    if (sticky.length > 0) worker.add(namespace);
    worker.start();
    claimRuleset(snapshots, namespace, leading);
  };
  // Where the definition of FeatureFlags is not installed yet, Rollouts must not wait for it.
  informers.synced.then(begin, () => {}); // stopped before
  return worker;
}

/** Evaluators of a namespace, such as those of gateways in ours, find a ruleset whether it has flags or not. */
function claimRuleset(snapshots: FlagInformers['sources']['snapshots'], flagSet: string, signal: AbortSignal): void {
  claimSnapshot({ client, snapshots }, flagSet, signal).catch((err) => {
    if (!signal.aborted) logger.warn({ err, flagSet }, 'the ruleset of a namespace was not begun');
  });
}
