import { ROLLOUT_LABEL } from '../../api/names.ts';
import {
  controllerRevisions,
  deployments,
  type EnvoyObject,
  endpointSlices,
  gatewayClasses,
  gateways,
  horizontalPodAutoscalers,
  httpRoutes,
  type Pod,
  pods,
  replicaSets,
  services,
} from '../../kube/builtins.ts';
import type { Change } from '../../kube/cache.ts';
import type { Informer, InformerOptions, InformerPorts } from '../../kube/informer.ts';
import { InformerSet, type OnBreak } from '../../kube/informer-set.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../../kube/resource.ts';
import { mayBeSticky } from './may-be-sticky.ts';
import { PolicyInformers } from './policy-informers.ts';
import { type CustomObject, indexes, metricsResource, rolloutsResource, type Sources } from './sources.ts';
import { isInFlight, waitersOf } from './waiters.ts';

/** Every watch of the Rollout controller, and which Rollouts a change concerns. */
export class RolloutInformers extends InformerSet {
  readonly sources: Sources;
  readonly #metrics: Informer<CustomObject>;
  readonly #rollouts: Informer<CustomObject, keyof typeof indexes.rollouts>;
  readonly #policies: PolicyInformers;
  readonly #wake: (key: string) => void;

  constructor(
    ports: InformerPorts,
    settings: Pick<Sources, 'presetNamespace' | 'defaultGuardrails' | 'evaluators'>,
    wake: (key: string) => void,
    onBreak: OnBreak,
  ) {
    super(ports, onBreak);
    const make = <T extends KubeObject, Index extends string = never>(
      options: InformerOptions<T, Index>,
      concerns: (object: T) => Iterable<string>,
    ) => {
      const informer = this.add(options);
      informer.onChange((change) => this.#tell(change, concerns));
      return informer.cache;
    };
    this.#wake = wake;
    this.#rollouts = this.add({ resource: rolloutsResource, indexes: indexes.rollouts });
    this.#rollouts.onChange((change) => {
      this.#tell(change, ({ metadata }) => [keyOf(metadata)]);
      for (const key of waitersOf(this.#rollouts.cache, change)) this.#wake(key);
    });
    this.#metrics = this.add({ resource: metricsResource });
    const inFlight = () => [...this.sources.rollouts.list()].filter(isInFlight);
    this.#metrics.onChange((change) => this.#tell(change, () => inFlight().map(({ metadata }) => keyOf(metadata))));
    const of = (index: 'deployment' | 'service' | 'route', key: string) =>
      this.sources.rollouts.byIndex(index, key).map(({ metadata }) => keyOf(metadata));
    const labelled = ({ metadata }: KubeObject) =>
      metadata.labels?.[ROLLOUT_LABEL] ? [`${metadata.namespace ?? ''}/${metadata.labels[ROLLOUT_LABEL]}`] : [];
    const serviceKeys = (namespace: string | undefined, name: string) => {
      const base = name.replace(/-(stable|canary)$/, '');
      return [
        ...of('service', `${namespace}/${name}`),
        ...(base === name ? [] : of('service', `${namespace}/${base}`)),
      ];
    };
    const setConcerns = (object: KubeObject) => {
      const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
      return [
        ...labelled(object),
        ...(owner?.kind === 'Deployment' ? of('deployment', `${object.metadata.namespace}/${owner.name}`) : []),
      ];
    };
    const ofItsRules = (policy: EnvoyObject) =>
      indexes.securityPolicies.rulesOf(policy).flatMap((route) => of('route', route));
    this.#policies = new PolicyInformers(ports, {
      operatorNamespace: settings.presetNamespace,
      concerned: () => this.#sticky(),
      wake,
      onSecurity: (change) => this.#tell(change, ofItsRules),
      onBreak,
    });
    this.sources = {
      ...settings,
      policies: this.#policies.sources,
      rollouts: this.#rollouts.cache,
      metrics: this.#metrics.cache,
      deployments: make({ resource: deployments, indexes: indexes.deployments }, ({ metadata }) =>
        of('deployment', keyOf(metadata)),
      ),
      replicaSets: make({ resource: replicaSets, indexes: indexes.replicaSets }, setConcerns),
      // Readiness and trouble of pods; their sets and slices say the rest.
      pods: make(
        { resource: pods, labelSelector: 'pod-template-hash', indexes: indexes.pods, prune: prunePod },
        (pod) => this.#podConcerns(pod),
      ),
      services: make({ resource: services }, ({ metadata }) => serviceKeys(metadata.namespace, metadata.name)),
      endpointSlices: make({ resource: endpointSlices, indexes: indexes.endpointSlices }, ({ metadata }) =>
        serviceKeys(metadata.namespace, metadata.labels?.['kubernetes.io/service-name'] ?? ''),
      ),
      controllerRevisions: make(
        { resource: controllerRevisions, labelSelector: ROLLOUT_LABEL, indexes: indexes.controllerRevisions },
        labelled,
      ),
      httpRoutes: make({ resource: httpRoutes, prune: (route) => route }, ({ metadata }) =>
        of('route', keyOf(metadata)),
      ),
      gateways: make({ resource: gateways }, () => []),
      gatewayClasses: make({ resource: gatewayClasses }, () => []),
      autoscalers: make({ resource: horizontalPodAutoscalers, indexes: indexes.autoscalers }, (hpa) =>
        of('deployment', `${hpa.metadata.namespace}/${hpa.spec?.scaleTargetRef.name}`),
      ),
    };
  }

  /** Rollouts that policies of a gateway can concern. */
  #sticky(): string[] {
    const all = [...this.sources.rollouts.list()];
    return all.filter(mayBeSticky).map(({ metadata }) => keyOf(metadata));
  }

  /** A pod's change matters only to a Rollout in flight: an idle one has nothing that its pods could change. */
  #podConcerns(pod: Pod): string[] {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
    const set = owner && this.sources.replicaSets.get({ namespace: pod.metadata.namespace, name: owner.name });
    const label = set?.metadata.labels?.[ROLLOUT_LABEL];
    const deployment = set?.metadata.ownerReferences?.find(({ kind }) => kind === 'Deployment')?.name;
    const keys = [
      ...(label ? [`${pod.metadata.namespace}/${label}`] : []),
      ...(deployment
        ? this.sources.rollouts
            .byIndex('deployment', `${pod.metadata.namespace}/${deployment}`)
            .map(({ metadata }) => keyOf(metadata))
        : []),
    ];
    return keys.filter((key) => {
      const rollout = this.sources.rollouts.getByKey(key);
      return rollout !== undefined && isInFlight(rollout);
    });
  }

  #tell<T>(change: Change<T>, concerns: (object: T) => Iterable<string>): void {
    const objects =
      change.type === 'updated'
        ? [change.before, change.after]
        : [change.type === 'added' ? change.after : change.before];
    for (const object of objects) for (const key of concerns(object)) this.#wake(key);
  }

  /** Tells the key of each Metric that changes. */
  onMetric(tell: (key: ObjectKey) => void): void {
    this.#metrics.onChange((change) =>
      tell(keyOf((change.type === 'deleted' ? change.before : change.after).metadata)),
    );
  }

  /** Tells each change of a Rollout, with what it was before. */
  onRollout(tell: (before: CustomObject | undefined, after: CustomObject | undefined) => void): void {
    this.#rollouts.onChange((change) =>
      tell(change.type === 'added' ? undefined : change.before, change.type === 'deleted' ? undefined : change.after),
    );
  }

  override start(): void {
    super.start();
    this.#policies.start();
  }

  override async stop(): Promise<void> {
    await Promise.all([super.stop(), this.#policies.stop()]);
  }
}

/** What `trouble.ts` and `endpoints.ts` read of a pod; ten thousand of them must fit in memory. */
function prunePod({ apiVersion, kind, metadata, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels, ownerReferences, deletionTimestamp } = metadata;
  const states = (statuses: NonNullable<Pod['status']>['containerStatuses']) =>
    statuses?.flatMap((one) => (one.state?.waiting ? [{ name: one.name, state: { waiting: one.state.waiting } }] : []));
  const kept = {
    conditions: status?.conditions
      ?.filter(({ type }) => type === 'Ready' || type === 'PodScheduled')
      .map(({ type, status: value, message, reason }) => ({
        type,
        status: value,
        ...(value === 'True' ? {} : { message, reason }),
      })),
    containerStatuses: states(status?.containerStatuses),
    initContainerStatuses: states(status?.initContainerStatuses),
  };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, labels, ownerReferences, deletionTimestamp },
    status: kept,
  } as unknown as Pod;
}
