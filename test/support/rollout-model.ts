import type { Action } from '../../src/api/action.ts';
import type { Guardrail } from '../../src/api/guardrail.ts';
import { type RolloutSpec, type RolloutSpecInput, rolloutSpecSchema } from '../../src/api/rollout.ts';
import { type RolloutStatus, rolloutStatusSchema } from '../../src/api/rollout-status.ts';
import type { DurationMs, EpochMs, WeightBp } from '../../src/base/units.ts';
import { subjectOf } from '../../src/controllers/rollout/watching.ts';
import { type JudgedGuardrail, judge, type SampleAnswer } from '../../src/core/guardrails/judge.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { Decision, Told, Write } from '../../src/core/rollout/decision.ts';
import type { Observed, PodSet, Problem } from '../../src/core/rollout/observed.ts';
import { planOf } from '../../src/core/rollout/plan.ts';
import { GATEWAY_PATIENCE_MS, type PlanRecord, type RoutePlan } from '../../src/core/rollout/route-plan.ts';
import { withRouter } from '../../src/core/rollout/router.ts';
import { isPartial } from '../../src/core/rollout/sticky.ts';

/** Which units of which revision are on the canary. */
interface Units {
  readonly hash: string;
  readonly bp: number;
}

/** `slow`: connected, but it goes on with what it has. One that comes back first takes in the newest. */
interface Evaluator {
  alive: boolean;
  slow: boolean;
  ran: Units;
}

const nobody: Units = { hash: '', bp: 0 };

interface Set {
  hash: string;
  owner: 'Deployment' | 'Record';
  desired: number;
  available: number;
  numbered: boolean;
  /** The Deployment had kept it before a rollout took it over. */
  takenOver?: boolean;
  /** The Deployment's controller copied the marker to it. */
  marked?: boolean;
}

/** What a Deployment, its sets, Services and one route do, as far as decisions can tell. Time moves only by `advance`. */
export class RolloutModel {
  now = 1_800_000_000_000 as EpochMs;
  status: RolloutStatus = rolloutStatusSchema.parse({});
  spec: RolloutSpec;
  exists = true;
  deleting = false;
  finalizer = false;
  action: Action | undefined;
  workload = { hash: 'v1', paused: false, marked: false, label: false, replicas: 4, generation: 1 };
  sets = new Map<string, Set>([['v1', { hash: 'v1', owner: 'Deployment', desired: 4, available: 4, numbered: true }]]);
  record: string | undefined;
  userPin: string | undefined;
  helpers: { stable: string | undefined; canary: string } | undefined;
  /** The helper that somebody deleted by hand. */
  lostHelper: 'stable' | 'canary' | undefined;
  /** Another Rollout of the same Deployment and Service works: helpers and gate label are there for it. */
  rival = false;
  route: { plan: RoutePlan; record?: PlanRecord | undefined; acceptedAt: number } = {
    plan: { kind: 'Original' },
    acceptedAt: 0,
  };
  /** What the gateway sends by: the last plan that it took in. */
  sentBy: RoutePlan = { kind: 'Original' };
  /** Beside what gateways always need; Infinity for one that takes nothing in any more. */
  lagMs = 0;
  /** How each guardrail answers when it is asked. */
  answer: (guardrail: Guardrail) => SampleAnswer = () => ({ kind: 'Value', value: 0 });
  /** Pods of these revisions never become available. */
  broken = new Set<string>();
  /** Pods of one set that become available each time the clock moves. */
  startsAtATime = Number.POSITIVE_INFINITY;
  gateWorks = true;
  /** What is attached at the gateway, and from when on it is accepted. */
  policies: { acceptedAt: number } | undefined;
  /** The evaluators of the gateway: each runs the ruleset that it took in last, and takes in what status says after a while. */
  evaluators: Evaluator[] = [{ alive: true, slow: false, ran: nobody }];
  /** The ruleset: what status, as written, said of this Rollout; an evaluator that lives takes it in at the next second. */
  ruleset: Units = nobody;
  /** What the owner of the user's Service does about our pins. */
  owner: 'lets' | 'reverts' | 'refuses' = 'lets';
  /** Pins in a row that were put back; -1 for one that was refused. */
  lostPins = 0;
  problems: Problem[] = [];
  /** Its namespace ends: everything but the Rollout and its record is gone. */
  orphaned = false;
  /** Revisions that were rolled back and that nobody asked to retry. */
  condemned = new Set<string>();
  unservedPasses = 0;
  strandedPasses = 0;
  told: Told[] = [];
  decisions: Decision[] = [];
  #guardrails: JudgedGuardrail[];
  /** When Sluice last wrote the route. */
  #writtenAt = 0;

  constructor(spec: Partial<RolloutSpecInput> = {}) {
    this.spec = rolloutSpecSchema.parse({
      workload: { name: 'web' },
      traffic: { service: 'web', router: { gatewayAPI: { httpRoutes: [{ name: 'web' }] } } },
      steps: [
        { weight: 25, hold: '60s' },
        { weight: 50, hold: '60s' },
      ],
      guardrails: [{ name: 'errors', metric: 'errors', max: 0.01, severity: 'Critical' }],
      ...spec,
    });
    this.#guardrails = this.spec.guardrails.map((guardrail) => ({ rule: rule(guardrail) }));
  }

  /** A user's change of the template, through the webhook. */
  push(hash: string): void {
    const gated =
      this.gateWorks &&
      this.workload.label &&
      this.status.stable !== undefined &&
      this.workload.replicas > 0 &&
      this.spec.mode === 'Act';
    this.workload = {
      ...this.workload,
      hash,
      generation: this.workload.generation + 1,
      ...(gated ? { paused: true, marked: true } : {}),
    };
  }

  observe(): Observed {
    const seen = this.#observeAll();
    if (!this.orphaned) return seen;
    const { workload: _workload, stableSet: _stable, canarySet: _canary, ...left } = seen;
    const none = { exists: false, ours: false, ready: 0, listsAll: true };
    return { ...left, services: { user: none, stable: none, canary: none }, routes: [] };
  }

  #observeAll(): Observed {
    const { inFlight, stable } = this.status;
    const stableHash = inFlight?.stableHash ?? stable?.hash;
    const canaryHash = inFlight?.hash;
    const own = this.sets.get(this.workload.hash);
    const plan = planOf(inFlight);
    const atPlan =
      sameJson(this.route.plan, plan) &&
      (plan.kind === 'Original' || (this.route.record?.revision === canaryHash && this.route.record?.verdict === 'Go'));
    const settled = this.now >= this.route.acceptedAt;
    const isGivenUp = plan.kind === 'Original' && this.#patienceIsOver();
    const split = this.route.plan.kind === 'Split' ? this.route.plan : undefined;
    const endpoints = (hash: string | undefined) => this.#endpoints(hash);
    const replicas = this.workload.replicas;
    const all = [...this.sets.values()].filter(({ owner }) => owner === 'Deployment');
    return {
      generation: 1,
      deleting: this.deleting,
      finalizer: this.finalizer,
      spec: withRouter(this.spec, inFlight?.router),
      problems: this.problems,
      status: this.status,
      ...(this.action && !this.status.actionIds.includes(this.action.id) ? { action: this.action } : {}),
      workload: {
        generation: this.workload.generation,
        current: true,
        replicas,
        updatedReplicas: own?.owner === 'Deployment' ? own.desired : 0,
        availableReplicas: all.reduce((sum, set) => sum + set.available, 0),
        totalReplicas: all.reduce((sum, set) => sum + set.desired, 0),
        paused: this.workload.paused,
        marked: this.workload.marked,
        gateLabel: this.workload.label,
        gateLabelOurs: this.workload.label && !this.rival,
        hash: this.workload.hash,
        digest: digestOf(this.workload.hash),
        keepsSet: (own?.owner === 'Deployment' || own?.takenOver === true) && this.workload.hash !== stableHash,
        staleNotes: !this.workload.marked && all.some(({ marked }) => marked === true),
      },
      ...podSet('stableSet', stableHash ? this.sets.get(stableHash) : undefined),
      ...podSet('canarySet', canaryHash ? this.sets.get(canaryHash) : undefined),
      ...(this.record === undefined ? {} : { recordHash: this.record }),
      services: {
        user: {
          exists: true,
          ...aimed(this.userPin),
          ready: endpoints(this.userPin),
          listsAll: true,
          ...this.#contest(),
        },
        stable: this.#helper('stable'),
        canary: this.#helper('canary'),
      },
      routes: [
        {
          name: 'web',
          ...(this.route.record ? { record: this.route.record } : {}),
          canaryBp: (split?.canaryBp ?? 0) as WeightBp,
          reachesCanary: split !== undefined && reachesCanary(split),
          usesHelpers: split !== undefined,
          programmed: settled,
          ...(this.route.record && settled ? { takenInAt: this.route.acceptedAt as EpochMs } : {}),
          progress: atPlan
            ? settled || isGivenUp
              ? { kind: 'AtPlan' }
              : { kind: 'Waiting', until: this.route.acceptedAt as EpochMs, reason: 'Settling', message: 'settles' }
            : this.#raiseWaits(plan)
              ? { kind: 'Waiting', reason: 'EndpointsNotFound', message: 'no ready endpoints' }
              : { kind: 'Due' },
        },
      ],
      ...this.#stickySeen(),
      policiesAttached: this.policies !== undefined,
      guardrails: this.#isWatched() ? this.#guardrails : [],
      longestWindowMs: Math.max(0, ...this.#guardrails.map((one) => one.rule.windowMs)) as DurationMs,
      autoscalerMultiplies: false,
    };
  }

  /** One pass: decide, write, tell. `crashAfter` loses the leader after so many writes, before status. */
  pass(crashAfter = Number.POSITIVE_INFINITY): Decision {
    const decision = decide(this.observe(), this.now);
    this.decisions.push(decision);
    for (const [index, write] of decision.writes.entries()) {
      if (index >= crashAfter) return decision;
      this.#apply(write);
    }
    if (decision.writes.length >= crashAfter && crashAfter !== Number.POSITIVE_INFINITY) return decision;
    if (decision.status.inFlight && decision.status.inFlight.startedAt !== this.status.inFlight?.startedAt)
      this.condemned.delete(decision.status.inFlight.hash);
    this.status = decision.status;
    this.told.push(...decision.tell);
    return decision;
  }

  /** Passes, with time moving by `stepMs` between them, until `until` holds; fails after `limit` passes. */
  run(until: (model: RolloutModel) => boolean, { limit = 2000, stepMs = 1000 } = {}): this {
    for (let i = 0; i < limit; i++) {
      if (until(this)) return this;
      this.pass();
      this.advance(stepMs);
    }
    throw new Error(
      `not reached in ${limit} passes: ${this.status.phase} ${this.status.inFlight?.stage} ${this.status.reason} ${this.status.message}`,
    );
  }

  advance(ms: number): void {
    this.now = (this.now + ms) as EpochMs;
    this.#takeIn();
    this.#kubernetes();
    this.#distribute();
    this.#sample();
  }

  /** A gateway that comes back takes in what stands there. */
  gatewayReturns(): void {
    this.lagMs = 0;
    this.route.acceptedAt = Math.min(this.route.acceptedAt, this.now);
    this.#takeIn();
  }

  #takeIn(): void {
    if (this.now >= this.route.acceptedAt) this.sentBy = this.route.plan;
  }

  /** Nobody waits any longer for the gateway to take in what was written. */
  #patienceIsOver = (): boolean => this.now >= this.#writtenAt + GATEWAY_PATIENCE_MS;

  /** Gateways say BackendsAvailable=False of a route to a Service without pods, and no weight rises until they say True. */
  #raiseWaits(plan: RoutePlan): boolean {
    const now = this.route.plan;
    if (plan.kind !== 'Split' || now.kind !== 'Split' || plan.canaryBp <= now.canaryBp) return false;
    return this.#endpoints(this.helpers?.stable) === 0 || this.#endpoints(this.helpers?.canary) === 0;
  }

  /** Services that get traffic and have no pod, while nothing but Sluice can be to blame. */
  unserved(): string[] {
    if (this.broken.size > 0 || this.workload.replicas === 0 || !this.workload.paused) return [];
    return this.podless();
  }

  /** Services that get traffic and have no pod. */
  podless(): string[] {
    if (this.route.plan.kind === 'Original') return this.#endpoints(this.userPin) > 0 ? [] : ['user'];
    const { canaryBp } = this.route.plan;
    const stable = canaryBp < 10_000 && this.#behind('stable') === 0 ? ['stable'] : [];
    return canaryBp > 0 && this.#behind('canary') === 0 ? [...stable, 'canary'] : stable;
  }

  /** The flag controller reads what is written of the status, and evaluators that live get its ruleset. */
  #distribute(): void {
    for (const one of this.evaluators) if (one.alive && !one.slow) one.ran = this.ruleset;
    const { inFlight } = this.status;
    const isSticky = inFlight?.stickiness !== undefined;
    this.ruleset = isSticky ? { hash: inFlight.hash, bp: inFlight.weightBp } : nobody;
  }

  #stickySeen(): Pick<Observed, 'sticky'> {
    const { inFlight } = this.status;
    if (!this.spec.traffic.stickiness && !inFlight?.stickiness) return {};
    const alive = this.evaluators.filter((one) => one.alive);
    const said = { hash: inFlight?.hash, bp: inFlight?.weightBp };
    const accepted = this.policies && this.now >= this.policies.acceptedAt;
    return {
      sticky: {
        attachment: !this.policies
          ? { kind: 'Due', message: 'is due' }
          : accepted
            ? { kind: 'Attached' }
            : { kind: 'Waiting', message: 'waits' },
        evaluators: { listening: alive.length, running: alive.filter(({ ran }) => sameJson(ran, said)).length },
      },
    };
  }

  /** The share of units that are sent to the canary of the rollout in flight, in basis points; per evaluator. */
  canaryUnits(): number[] {
    const { plan } = this.route;
    if (plan.kind !== 'Split') return [0];
    const asks = this.policies !== undefined && plan.perUser !== undefined;
    return this.evaluators.map(({ alive, ran }) => Math.max(plan.canaryBp, alive && asks ? ran.bp : 0));
  }

  #isWatched = (): boolean => !this.deleting && subjectOf(this.status, this.now, this.spec) !== undefined;

  /** Each guardrail is asked whenever the clock moves; nobody keeps what it said before it was watched. */
  #sample(): void {
    const watched = this.#isWatched();
    this.#guardrails = this.#guardrails.map(({ rule: own }) => {
      if (!watched) return { rule: own };
      const before = this.status.guardrails.find(({ name }) => name === own.guardrail.name);
      return { rule: own, status: judge(own, before, { at: this.now, answer: this.answer(own.guardrail) }) };
    });
  }

  #contest(): Pick<Observed['services']['user'], 'contested'> {
    if (this.lostPins < 0) return { contested: { reason: 'Refused', message: 'is refused' } };
    return this.lostPins < 2 ? {} : { contested: { reason: 'Reverted', message: 'is put back' } };
  }

  /** The controller manager and the kubelet, and the owner of the Service. */
  #kubernetes(): void {
    const { workload, sets } = this;
    if (this.owner === 'reverts' && this.userPin !== undefined) {
      this.userPin = undefined;
      this.lostPins = Math.max(0, this.lostPins) + 1;
    }
    if (!workload.paused) {
      if (!sets.has(workload.hash))
        sets.set(workload.hash, { hash: workload.hash, owner: 'Deployment', desired: 0, available: 0, numbered: true });
      for (const set of sets.values())
        if (set.owner === 'Deployment') set.desired = set.hash === workload.hash ? workload.replicas : 0;
    } else {
      // Paused: the set with pods follows the size, as proportional scaling does with one active set.
      const active = [...sets.values()].filter(({ owner, desired }) => owner === 'Deployment' && desired > 0);
      if (active.length === 1 && active[0]) active[0].desired = workload.replicas;
    }
    const own = sets.get(workload.hash);
    if (own?.owner === 'Deployment') Object.assign(own, { numbered: true }, workload.marked ? { marked: true } : {});
    for (const set of sets.values())
      set.available = this.broken.has(set.hash) ? 0 : Math.min(set.desired, set.available + this.startsAtATime);
  }

  #helper(which: 'stable' | 'canary'): Observed['services']['stable'] {
    const exists = this.helpers !== undefined && this.lostHelper !== which;
    const hash = exists ? this.helpers?.[which] : undefined;
    return { exists, ours: exists && !this.rival, ...aimed(hash), ready: this.#behind(which), listsAll: true };
  }

  /** Pods that a helper sends to. */
  #behind(which: 'stable' | 'canary'): number {
    return this.helpers && this.lostHelper !== which ? this.#endpoints(this.helpers[which]) : 0;
  }

  #endpoints(hash: string | undefined): number {
    return [...this.sets.values()]
      .filter((set) => hash === undefined || set.hash === hash)
      .reduce((sum, set) => sum + set.available, 0);
  }

  /** Throws where a write would lose requests or break a promise of docs/rollouts.md. */
  #check(write: Write): void {
    const split = this.route.plan.kind === 'Split' ? this.route.plan : undefined;
    const reaches = split !== undefined && reachesCanary(split);
    const forbid = (bad: boolean, why: string) => {
      if (bad) throw new Error(`${write.kind}: ${why}`);
    };
    const sent = this.sentBy.kind === 'Split' && !this.orphaned ? this.sentBy : undefined;
    const isSent = sent !== undefined && reachesCanary(sent) && !this.#patienceIsOver();
    const reached = (hash: string) =>
      ((reaches || isSent) && this.helpers?.canary === hash) || (this.userPin === hash && split === undefined);
    switch (write.kind) {
      case 'RemoveHelpers':
        forbid(this.rival, 'they are of another Rollout');
        forbid(split !== undefined, 'a route still sends to the helpers');
        forbid(sent !== undefined && !this.#patienceIsOver(), 'a gateway still sends to the helpers');
        return;
      case 'LetGo':
        forbid(this.rival && !this.workload.marked, 'another Rollout has the Deployment');
        return;
      case 'AimHelpers':
        forbid(
          (reaches || isSent) && this.helpers !== undefined && this.helpers.canary !== write.canaryHash,
          'traffic would change revision under way',
        );
        return;
      case 'ScaleCanary': {
        const now = this.sets.get(write.hash)?.desired ?? 0;
        forbid(
          write.replicas === 0 && now > 0 && this.workload.replicas > 0 && reached(write.hash),
          'its pods still get traffic',
        );
        return;
      }
      case 'RemoveCanary':
        forbid((this.sets.get(write.hash)?.desired ?? 0) > 0 && reached(write.hash), 'its pods still get traffic');
        return;
      case 'Route':
        if (write.plan.kind === 'Split') {
          const status = this.status.inFlight;
          const partial = status !== undefined && isPartial(status);
          forbid(partial && write.plan.canaryBp > 0, 'a share of requests would go to the canary instead of units');
          // Who asks for all of it at once does not wait for evaluators.
          const waits = partial && status?.full !== true;
          const added = write.plan.perUser !== undefined && split?.perUser === undefined;
          forbid(waits && added && !this.policies, 'nobody asks the evaluators');
          const alive = this.evaluators.filter((one) => one.alive);
          const ahead = alive.some(({ ran }) => ran.hash !== status?.hash || ran.bp > (status?.weightBp ?? 0));
          forbid(waits && added && ahead, 'an evaluator calls more units canary than status says');
          forbid(this.helpers === undefined, 'the helpers do not exist');
          forbid(
            (write.plan.canaryBp > 0 || write.plan.perUser !== undefined) &&
              this.condemned.has(this.status.inFlight?.hash ?? ''),
            'what was rolled back is raised again',
          );
        }
        return;
      case 'HandOver': {
        const set = this.sets.get(write.hash);
        forbid(set?.desired !== this.workload.replicas, 'the canary is not at full size');
        forbid(this.workload.hash !== write.hash, 'the Deployment asks for another template');
        forbid(
          sent !== undefined && sent.canaryBp < 10_000 && (split !== undefined || !this.#patienceIsOver()),
          'a gateway still sends to stable',
        );
        return;
      }
      case 'UnpinService':
        forbid(
          this.userPin === this.status.inFlight?.hash &&
            this.workload.paused &&
            this.status.inFlight?.stage !== 'Unpinning',
          'the Service would select two revisions',
        );
        forbid(
          this.userPin === this.status.inFlight?.stableHash &&
            this.status.inFlight?.stage === 'Preparing' &&
            this.#endpoints(this.userPin) > 0,
          'the Service would select the canary beside a stable that serves',
        );
        return;
      default:
        return;
    }
  }

  #apply(write: Write): void {
    this.#check(write);
    const { workload, sets } = this;
    switch (write.kind) {
      case 'AddFinalizer':
        this.finalizer = true;
        return;
      case 'RemoveFinalizer':
        this.exists = false;
        this.finalizer = false;
        return;
      case 'AddGateLabel':
        workload.label = true;
        return;
      case 'MakeRecord':
        this.record = write.hash;
        return;
      case 'RemoveRecord':
        for (const set of sets.values()) if (set.owner === 'Record') sets.delete(set.hash);
        this.record = undefined;
        return;
      case 'PinService':
        if (this.userPin === write.hash) return;
        if (this.owner === 'refuses') this.lostPins = -1;
        else this.userPin = write.hash;
        if (this.owner === 'lets') this.lostPins = 0;
        return;
      case 'UnpinService':
        if (this.owner === 'refuses') return;
        this.userPin = undefined;
        this.lostPins = 0;
        return;
      case 'AimHelpers':
        this.helpers = { stable: write.stableHash, canary: write.canaryHash };
        this.lostHelper = undefined;
        return;
      case 'RemoveHelpers':
        this.helpers = undefined;
        this.lostHelper = undefined;
        return;
      case 'ScaleCanary': {
        const set = sets.get(write.hash) ?? {
          hash: write.hash,
          owner: 'Record' as const,
          desired: 0,
          available: 0,
          numbered: false,
        };
        const takenOver = set.owner === 'Deployment' || set.takenOver === true;
        sets.set(write.hash, { ...set, owner: 'Record', desired: write.replicas, takenOver });
        return;
      }
      case 'RemoveCanary': {
        const set = sets.get(write.hash);
        if (set?.owner !== 'Record') return;
        if (set.takenOver) sets.set(write.hash, { ...set, owner: 'Deployment', desired: 0, takenOver: false });
        else sets.delete(write.hash);
        return;
      }
      case 'RemakeStable':
        sets.set(write.hash, {
          hash: write.hash,
          owner: 'Deployment',
          desired: workload.replicas,
          available: 0,
          numbered: true,
        });
        return;
      case 'CleanSets':
        for (const set of sets.values()) set.marked = false;
        return;
      case 'Lower':
        this.#lower(write.verdict);
        return;
      case 'Route':
        this.#raise(write.plan, write.epoch);
        return;
      case 'DropRecords':
        this.route.record = undefined;
        return;
      case 'AttachPolicies':
        this.policies ??= { acceptedAt: this.now + 1000 };
        return;
      case 'DetachPolicies':
        this.policies = undefined;
        return;
      case 'HandOver': {
        const set = sets.get(write.hash);
        if (!set) throw new Error('handed over a set that does not exist');
        Object.assign(set, { owner: 'Deployment', takenOver: false });
        for (const other of sets.values()) if (other.owner === 'Deployment' && other !== set) other.desired = 0;
        return;
      }
      case 'Resume':
        workload.paused = false;
        workload.marked = false;
        workload.generation += 1;
        return;
      case 'LetGo':
        workload.marked = false;
        if (!this.rival) workload.label = false;
        if (write.template === 'Stable') workload.hash = this.status.stable?.hash ?? workload.hash;
        if (write.paused !== 'AsIs') workload.paused = write.paused;
        return;
    }
  }

  #lower(verdict: PlanRecord['verdict']): void {
    if (verdict === 'RolledBack') this.condemned.add(this.status.inFlight?.hash ?? '');
    const ours = this.route.plan.kind === 'Split' || this.userPin === this.status.inFlight?.hash;
    if (!ours || !this.status.inFlight) return;
    this.route = {
      plan: { kind: 'Split', canaryBp: 0 as WeightBp },
      record: this.#recordOf(verdict, this.status.epoch),
      acceptedAt: this.now + 500 + this.lagMs,
    };
    this.#writtenAt = this.now;
  }

  #raise(plan: RoutePlan, epoch: number): void {
    if (this.route.record && this.route.record.epoch > epoch) throw new Error('an old epoch wrote the route');
    this.route = {
      plan,
      record: this.#recordOf('Go', epoch),
      acceptedAt: this.now + 2000 + this.lagMs,
    };
    this.#writtenAt = this.now;
  }

  #recordOf(verdict: PlanRecord['verdict'], epoch: number): PlanRecord {
    return { rollout: 'uid', revision: this.status.inFlight?.hash ?? '', epoch, verdict, changedAt: this.now };
  }
}

const reachesCanary = (plan: Extract<RoutePlan, { kind: 'Split' }>): boolean =>
  plan.canaryBp > 0 || plan.match !== undefined || plan.perUser !== undefined || plan.shadow !== undefined;

/** `v1!` has the template of `v1`, whose set is gone, and so another hash. */
const digestOf = (hash: string): string => hash.replace('!', '');
const aimed = (hash: string | undefined) => (hash === undefined ? {} : { aimedAt: hash });
const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function podSet(key: 'stableSet' | 'canarySet', set: Set | undefined): Partial<Record<typeof key, PodSet>> {
  return set
    ? {
        [key]: {
          name: `web-${set.hash}`,
          hash: set.hash,
          digest: digestOf(set.hash),
          desired: set.desired,
          pods: set.desired,
          available: set.available,
          owner: set.owner,
          numbered: set.numbered,
        },
      }
    : {};
}

function rule(guardrail: Guardrail): JudgedGuardrail['rule'] {
  return { guardrail, direction: 'LowerIsBetter', bounds: guardrail, windowMs: 10_000 as DurationMs };
}
