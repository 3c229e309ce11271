import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { phases } from '../api/rollout-status.ts';
import type { FlagCounts } from '../controllers/feature-flag/reconcile.ts';
import type { Decision } from '../core/rollout/decision.ts';
import type { Observed } from '../core/rollout/observed.ts';
import { refOf } from '../kube/resource.ts';
import type { KubeCalls } from './kube-calls.ts';

const VERDICTS = ['Safe', 'NoEvidence', 'ProviderDown', 'Harm'] as const;
const rolloutLabels = ['namespace', 'rollout'] as const;

/** Read when metrics are asked for. */
export interface LiveFigures {
  readonly calls: KubeCalls;
  queue(): number;
  /** Evaluators that are connected. */
  streams(): number;
  /** Of the replica that leads: labelled pods without evaluator, by namespace. */
  podsWithoutSidecar(): ReadonlyMap<string, number>;
  /** Undefined where there is none. */
  redis(): { readonly isUp: boolean; readonly failures: number } | undefined;
  watchAges(): readonly { readonly name: string; readonly seconds: number }[];
}

/** What the operator tells of itself. No label holds a revision: their number would grow with every release. */
export class OperatorMetrics {
  readonly registry = new Registry();
  readonly #phase = this.#gauge('sluice_rollout_phase', 'Phase of a Rollout: 1 for the present one.', [
    ...rolloutLabels,
    'phase',
  ]);
  readonly #step = this.#gauge(
    'sluice_rollout_step',
    'Steps that are done or under way; 0 with nothing in flight.',
    rolloutLabels,
  );
  readonly #weight = this.#gauge(
    'sluice_rollout_weight_ratio',
    'Share of traffic that the canary is meant to have, 0 to 1.',
    rolloutLabels,
  );
  readonly #verdict = this.#gauge('sluice_guardrail_verdict', 'Verdict of a guardrail: 1 for the present one.', [
    ...rolloutLabels,
    'guardrail',
    'verdict',
  ]);
  readonly #rollback = new Histogram({
    name: 'sluice_rollback_seconds',
    help: 'From the sample that spent a budget to the lowered route, as the API server confirmed it.',
    labelNames: rolloutLabels,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly #reconcile = new Histogram({
    name: 'sluice_reconcile_seconds',
    help: 'One pass: gather, decide, apply.',
    labelNames: ['result'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [this.registry],
  });
  readonly #breaks = new Counter({
    name: 'sluice_watch_breaks_total',
    help: 'Watches that broke off.',
    labelNames: ['resource', 'cause'],
    registers: [this.registry],
  });
  readonly #flags = this.#gauge('sluice_flags', 'FeatureFlags of a namespace.', ['namespace']);
  readonly #flagsNotAccepted = this.#gauge(
    'sluice_flags_not_accepted',
    'FeatureFlags that the ruleset does not have as their spec says.',
    ['namespace'],
  );
  readonly #flagExpired = this.#gauge('sluice_flag_expired', 'A release flag that has outlived expiresAfter: 1.', [
    'namespace',
    'flag',
  ]);
  readonly #rulesetRevision = this.#gauge('sluice_ruleset_revision', 'Revision of the published ruleset.', [
    'namespace',
  ]);
  readonly #apiRequests = new Counter({
    name: 'sluice_api_requests_total',
    help: 'Requests to the HTTP API that were answered.',
    labelNames: ['operation', 'status'],
    registers: [this.registry],
  });
  readonly #expiredFlags = new Map<string, readonly string[]>();
  /** Whose verdicts are told, by key of the Rollout. */
  readonly #guardrails = new Map<string, ReadonlySet<string>>();
  readonly #leading = this.#gauge('sluice_leader', '1 in the replica that leads.', []);

  constructor(live: LiveFigures) {
    collectDefaultMetrics({ register: this.registry });
    this.registry.registerMetric(live.calls.counter);
    const { registry } = this;
    new Gauge({
      name: 'sluice_queue_length',
      help: 'Rollouts that wait for a pass.',
      registers: [registry],
      collect() {
        this.set(live.queue());
      },
    });
    new Gauge({
      name: 'sluice_ruleset_streams',
      help: 'Evaluators that are connected to this replica.',
      registers: [registry],
      collect() {
        this.set(live.streams());
      },
    });
    new Gauge({
      name: 'sluice_pods_without_sidecar',
      help: 'Pods with the label sluice.dev/inject that have no evaluator.',
      labelNames: ['namespace'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [namespace, count] of live.podsWithoutSidecar()) this.set({ namespace }, count);
      },
    });
    new Gauge({
      name: 'sluice_redis_up',
      help: '1 while this replica is connected to Redis; only where redis.url is set.',
      registers: [registry],
      collect() {
        const redis = live.redis();
        if (redis) this.set(redis.isUp ? 1 : 0);
        else this.remove();
      },
    });
    new Counter({
      name: 'sluice_redis_failures_total',
      help: 'Connections and commands that failed, and values that were refused.',
      registers: [registry],
      collect() {
        this.reset();
        this.inc(live.redis()?.failures ?? 0);
      },
    });
    new Gauge({
      name: 'sluice_watch_age_seconds',
      help: 'Since a watch last heard from the API server.',
      labelNames: ['resource'],
      registers: [registry],
      collect() {
        for (const { name, seconds } of live.watchAges()) this.set({ resource: name }, seconds);
      },
    });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  passed(result: string, tookMs: number): void {
    this.#reconcile.observe({ result }, tookMs / 1000);
  }

  watchBroke(resource: string, cause: string): void {
    this.#breaks.inc({ resource, cause });
  }

  /** `operation`: its id in the document of the HTTP API. */
  apiAnswered(operation: string, status: number): void {
    this.#apiRequests.inc({ operation, status });
  }

  setLeading(leading: boolean): void {
    this.#leading.set(leading ? 1 : 0);
    if (leading) return;
    const flagGauges = [this.#flags, this.#flagsNotAccepted, this.#flagExpired, this.#rulesetRevision];
    // Another replica tells them now.
    for (const gauge of [this.#phase, this.#step, this.#weight, this.#verdict, ...flagGauges]) gauge.reset();
    this.#expiredFlags.clear();
    this.#guardrails.clear();
  }

  /** After a decision was carried out. `nowMs`: when the API server had confirmed its writes. */
  decided(key: string, seen: Observed, { status, writes }: Decision, nowMs: number): void {
    const labels = labelsOf(key);
    for (const phase of phases) this.#phase.set({ ...labels, phase }, status.phase === phase ? 1 : 0);
    this.#step.set(labels, status.inFlight ? Math.min(status.inFlight.step + 1, status.inFlight.steps.length) : 0);
    this.#weight.set(labels, (status.inFlight?.weightBp ?? 0) / 10_000);
    this.#tellVerdicts(key, status.guardrails);
    const harmAt = seen.guardrails.find((guardrail) => guardrail.status?.verdict === 'Harm')?.status?.at;
    const lowered =
      writes.some((write) => write.kind === 'Lower' && write.verdict === 'RolledBack') &&
      seen.status.inFlight?.retreat === undefined;
    if (lowered && harmAt !== undefined) this.#rollback.observe(labels, (nowMs - harmAt) / 1000);
  }

  #tellVerdicts(key: string, guardrails: Decision['status']['guardrails']): void {
    const labels = labelsOf(key);
    const names = new Set(guardrails.map(({ name }) => name));
    for (const guardrail of this.#guardrails.get(key) ?? [])
      if (!names.has(guardrail))
        for (const verdict of VERDICTS) this.#verdict.remove({ ...labels, guardrail, verdict });
    for (const { name: guardrail, verdict: present } of guardrails)
      for (const verdict of VERDICTS) this.#verdict.set({ ...labels, guardrail, verdict }, verdict === present ? 1 : 0);
    this.#guardrails.set(key, names);
  }

  /** After a pass for the flags of a namespace. `counts`: undefined for one that has neither flags nor a ruleset any more. */
  flagsCounted(namespace: string, counts: FlagCounts | undefined): void {
    for (const flag of this.#expiredFlags.get(namespace) ?? []) this.#flagExpired.remove({ namespace, flag });
    this.#expiredFlags.delete(namespace);
    if (!counts) {
      for (const gauge of [this.#flags, this.#flagsNotAccepted, this.#rulesetRevision]) gauge.remove({ namespace });
      return;
    }
    const { total, notAccepted, expired, revision } = counts;
    this.#flags.set({ namespace }, total);
    this.#flagsNotAccepted.set({ namespace }, notAccepted);
    this.#rulesetRevision.set({ namespace }, revision);
    for (const flag of expired) this.#flagExpired.set({ namespace, flag }, 1);
    this.#expiredFlags.set(namespace, expired);
  }

  /** A Rollout that is gone leaves no series behind. */
  forget(key: string): void {
    const labels = labelsOf(key);
    this.#step.remove(labels);
    this.#weight.remove(labels);
    for (const phase of phases) this.#phase.remove({ ...labels, phase });
    this.#tellVerdicts(key, []);
    this.#guardrails.delete(key);
    this.#rollback.remove(labels);
  }
}

function labelsOf(key: string): { namespace: string; rollout: string } {
  const { namespace = '', name } = refOf(key);
  return { namespace, rollout: name };
}
