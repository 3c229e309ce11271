import { HASH_LABEL, ROLLOUT_LABEL } from '../../api/names.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import type { ControllerRevision, Deployment, ReplicaSet, Service } from '../../kube/builtins.ts';
import type { KubeObject, OwnerReference } from '../../kube/resource.ts';
import { type PodTemplate, plainTemplate } from './template.ts';

/** On a set that the Deployment had kept and that serves as the canary: it is handed back, never deleted. */
export const TAKEN_OVER_ANNOTATION = 'sluice.dev/taken-over';
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

export const recordName = (deployment: string, hash: string): string => `${deployment}-canary-${hash}`;
export const stableName = (service: string): string => `${service}-stable`;
export const canaryName = (service: string): string => `${service}-canary`;

/** The three Services of a Rollout. */
export const servicesOf = ({ traffic: { service } }: Pick<RolloutSpec, 'traffic'>) => ({
  user: service,
  stable: stableName(service),
  canary: canaryName(service),
});

/** What the record keeps. */
export interface RecordData {
  readonly stableHash: string;
  readonly stableTemplate: PodTemplate;
}

/**
 * The internal owner of the canary set, which also keeps the stable template. It has no owner reference to the Rollout:
 * foreground or orphaning deletion of the Rollout must neither kill nor free the set.
 */
export function recordManifest(
  rollout: string,
  deployment: Deployment,
  hash: string,
  data: RecordData,
): ControllerRevision {
  const { name, namespace } = deployment.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: recordName(name, hash),
      ...(namespace ? { namespace } : {}),
      labels: { [ROLLOUT_LABEL]: rollout, [HASH_LABEL]: hash },
    },
    revision: 1,
    data,
  } as unknown as ControllerRevision;
}

/** The canary set: the new template exactly as read back, under its own hash, with the record as controller. */
export function canarySetManifest(
  rollout: string,
  deployment: Deployment,
  record: ControllerRevision,
  hash: string,
  replicas: number,
): ReplicaSet {
  return setManifest(
    deployment,
    hash,
    deployment.spec?.template as PodTemplate,
    replicas,
    controllerRef(record, false),
    { [ROLLOUT_LABEL]: rollout },
  );
}

/** Stable's set as it was, with the Deployment as its controller. */
export function stableSetManifest(
  deployment: Deployment,
  hash: string,
  template: PodTemplate,
  replicas: number,
): ReplicaSet {
  const set = setManifest(deployment, hash, template, replicas, controllerRef(deployment, true), {});
  return {
    ...set,
    metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...sizeAnnotations(deployment) } },
  };
}

function setManifest(
  deployment: Deployment,
  hash: string,
  template: PodTemplate,
  replicas: number,
  owner: OwnerReference,
  labels: Readonly<Record<string, string>>,
): ReplicaSet {
  const { name, namespace } = deployment.metadata;
  const plain = plainTemplate(template);
  const podLabels = { ...plain.metadata?.labels, [HASH_LABEL]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace ? { namespace } : {}),
      labels: { ...podLabels, ...labels },
      ownerReferences: [owner],
    },
    spec: {
      replicas,
      ...(deployment.spec?.minReadySeconds ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
      selector: {
        ...deployment.spec?.selector,
        matchLabels: { ...deployment.spec?.selector.matchLabels, [HASH_LABEL]: hash },
      },
      template: { ...plain, metadata: { ...plain.metadata, labels: podLabels } },
    },
  } as ReplicaSet;
}

/** A controller reference. `blocks`: as Deployments set it on their own sets. */
export function controllerRef(owner: Deployment | ControllerRevision, blocks: boolean): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: blocks,
  };
}

/** With these the Deployment takes a set as fully scaled; without them it makes and deletes one pod more (docs/rollouts.md, hand-over). */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec?.replicas ?? 1;
  const surge = deployment.spec?.strategy?.rollingUpdate?.maxSurge ?? '25%';
  const text = String(surge);
  const extra = text.endsWith('%') ? Math.ceil((Number(text.slice(0, -1)) * replicas) / 100) : Number(text);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + extra) };
}

/** A helper Service: like the user's, but inside the cluster only, and for one revision where `hash` is given. */
export function helperService(rollout: string, user: Service, name: string, hash: string | undefined): Service {
  const { spec = {} } = user;
  const { [HASH_LABEL]: _pin, ...selector } = spec.selector ?? {};
  const { annotations = {} } = user.metadata;
  const copied = Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => !key.startsWith('kubectl.kubernetes.io/') && !key.startsWith('sluice.dev/'),
    ),
  );
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      ...(user.metadata.namespace ? { namespace: user.metadata.namespace } : {}),
      labels: { [ROLLOUT_LABEL]: rollout },
      annotations: copied,
    },
    spec: {
      type: 'ClusterIP',
      ports: spec.ports?.map(({ nodePort: _node, ...port }) => port) ?? [],
      selector: { ...selector, ...(hash === undefined ? {} : { [HASH_LABEL]: hash }) },
      ...pick(spec, [
        'sessionAffinity',
        'sessionAffinityConfig',
        'trafficDistribution',
        'internalTrafficPolicy',
        'publishNotReadyAddresses',
      ]),
    },
  } as Service;
}

/** Made for this Rollout. A Service of that name can be its user's, or of another Rollout for the same Service. */
export const isHelperOf = (service: Service, rollout: KubeObject): boolean =>
  service.metadata.labels?.[ROLLOUT_LABEL] === rollout.metadata.name;

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const key of keys) if (from[key] !== undefined) picked[key] = from[key];
  return picked;
}
