import { sleep } from '../../base/clock.ts';
import { clientTrafficPolicies, type EnvoyObject, referenceGrants, securityPolicies } from '../../kube/builtins.ts';
import type { Change } from '../../kube/cache.ts';
import { Informer, type InformerPorts } from '../../kube/informer.ts';
import type { OnBreak } from '../../kube/informer-set.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import { apiVersionOf } from '../../kube/resource.ts';
import { indexes, type PolicySources } from './sources.ts';

/** How often it is looked whether Envoy Gateway's definitions were installed meanwhile, while a Rollout needs them. */
const LOOK_MS = 30_000;
/** And while none does: an idle operator calls nobody. */
const SELDOM_MS = 600_000;

export interface PolicyInformerOptions {
  /** Where grants stand. */
  readonly operatorNamespace: string;
  /** Keys of the Rollouts that any policy can concern. They are woken by each change. */
  readonly concerned: () => Iterable<string>;
  readonly wake: (key: string) => void;
  /** Told of each SecurityPolicy that changes. */
  readonly onSecurity: (change: Change<EnvoyObject>) => void;
  readonly onBreak: OnBreak;
}

/**
 * Watches of Envoy Gateway's policies and of the grants for them, which begin when its definitions are there. Nothing waits
 * for them: most clusters have no such gateway, and most Rollouts need none.
 */
export class PolicyInformers {
  readonly sources: PolicySources;
  readonly #ports: InformerPorts;
  readonly #all: readonly Informer<EnvoyObject, string>[];
  readonly #concerned: () => Iterable<string>;
  readonly #wakeAll: () => void;
  readonly #end = new AbortController();
  #run: Promise<void> | undefined;
  #served: boolean | undefined;

  constructor(
    ports: InformerPorts,
    { operatorNamespace, concerned, wake, onSecurity, onBreak }: PolicyInformerOptions,
  ) {
    this.#ports = ports;
    this.#concerned = concerned;
    this.#wakeAll = () => {
      for (const key of concerned()) wake(key);
    };
    const security = new Informer(ports, {
      resource: securityPolicies,
      indexes: indexes.securityPolicies,
      onBreak: (cause) => onBreak(securityPolicies.plural, cause),
    });
    const clientTraffic = new Informer(ports, {
      resource: clientTrafficPolicies,
      onBreak: (cause) => onBreak(clientTrafficPolicies.plural, cause),
    });
    const grants = new Informer(ports, {
      resource: referenceGrants,
      namespace: operatorNamespace,
      onBreak: (cause) => onBreak(referenceGrants.plural, cause),
    });
    this.#all = [security, clientTraffic, grants] as readonly Informer<EnvoyObject, string>[];
    for (const informer of this.#all) informer.onChange(this.#wakeAll);
    security.onChange(onSecurity);
    this.sources = {
      security: security.cache,
      clientTraffic: clientTraffic.cache,
      grants: grants.cache,
      isServed: () => this.#served === true,
      isKnown: () => this.#served === false || this.#all.every(({ hasSynced }) => hasSynced),
    };
  }

  start(): void {
    this.#run ??= this.#begin(this.#end.signal).catch(() => {}); // stopped before
  }

  async stop(): Promise<void> {
    this.#end.abort(new Error('the informers were stopped'));
    await Promise.all([this.#run, ...this.#all.map((informer) => informer.stop())]);
  }

  async #begin(signal: AbortSignal): Promise<void> {
    while (!(await this.#isServed(signal))) await this.#untilNextLook(signal);
    for (const informer of this.#all) informer.start();
    await Promise.all(this.#all.map(({ synced }) => synced));
    this.#wakeAll();
  }

  async #untilNextLook(signal: AbortSignal): Promise<void> {
    for (let waitedMs = 0; waitedMs < SELDOM_MS; waitedMs += LOOK_MS) {
      await sleep(this.#ports.clock, LOOK_MS, signal);
      if ([...this.#concerned()].length > 0) return;
    }
  }

  async #isServed(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#ports.client.raw({ method: 'GET', path: `/apis/${apiVersionOf(securityPolicies)}` }, { signal });
      this.#served = true;
    } catch (error) {
      signal.throwIfAborted();
      if (isNotFound(error)) this.#served = false; // anything else says nothing
    }
    return this.#served === true;
  }
}
