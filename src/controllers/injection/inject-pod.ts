import { INJECTED_LABEL } from '../../api/names.ts';
import type { Pod } from '../../kube/builtins.ts';
import { type JsonPatchOperation, pointer } from '../../kube/json-patch.ts';
import {
  OFREP_ENDPOINT,
  SIDECAR,
  SIDECAR_PORTS,
  type SidecarSettings,
  sidecarContainer,
  sidecarVolumes,
} from './sidecar-container.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** Whether a pod has an evaluator: ours, or one of this name that its author wrote. */
export const hasSidecar = ({ spec }: Pod): boolean =>
  spec?.initContainers?.some(({ name, restartPolicy }) => name === SIDECAR && restartPolicy === 'Always') ?? false;

/** Why a pod can have no evaluator, in words that follow “because”; undefined where it can. */
export function whyNotInjectable({ spec }: Pod): string | undefined {
  if (spec?.hostNetwork) return 'it uses the network of its node, where ports are not its own';
  // What it has, such as a user id or the file system read-only, the API server refuses there; and the image is for Linux.
  if (spec?.os?.name === 'windows') return 'it runs on Windows, for which there is no evaluator';
  // The API server fills it in before it asks, unless it was started without that plug-in; it then refuses pods with tokens.
  if (!spec?.serviceAccountName) return 'it has no service account';
  const ours = new Set(sidecarVolumes.map(({ name }) => name));
  const volume = spec.volumes?.find(({ name }) => ours.has(name));
  if (volume) return `it has a volume ${volume.name} of its own`;
  for (const { name, ports = [] } of containersOf(spec)) {
    if (name === SIDECAR) return `it has a container ${SIDECAR} that is no native sidecar`;
    const taken = ports.find(({ containerPort }) => SIDECAR_PORTS.includes(containerPort));
    if (taken) return `its container ${name} has the port ${taken.containerPort}`;
  }
  return undefined;
}

/** The patch that gives a pod without one its evaluator: the first to start, so that all others may ask it. */
export function injectionPatch(pod: Pod, settings: SidecarSettings): JsonPatchOperation[] {
  const { metadata, spec } = pod;
  const volumes = spec?.volumes ?? [];
  const initContainers = spec?.initContainers ?? [];
  const container = sidecarContainer(settings);
  return [
    metadata.labels === undefined
      ? { op: 'add', path: '/metadata/labels', value: { [INJECTED_LABEL]: 'true' } }
      : { op: 'add', path: pointer('metadata', 'labels', INJECTED_LABEL), value: 'true' },
    ...(spec?.containers ?? []).flatMap((one, index) => endpointPatch(one, pointer('spec', 'containers', index))),
    // Before ours is put in front of them and moves their places.
    ...initContainers.flatMap((one, index) => endpointPatch(one, pointer('spec', 'initContainers', index))),
    ...(initContainers.length === 0
      ? [{ op: 'add', path: '/spec/initContainers', value: [container] } as const]
      : [{ op: 'add', path: '/spec/initContainers/0', value: container } as const]),
    ...(volumes.length === 0
      ? [{ op: 'add', path: '/spec/volumes', value: sidecarVolumes } as const]
      : sidecarVolumes.map((value) => ({ op: 'add', path: '/spec/volumes/-', value }) as const)),
  ];
}

/** Tells a container where to ask, unless its author said so. */
function endpointPatch({ env = [] }: Container, path: string): JsonPatchOperation[] {
  if (env.some(({ name }) => name === OFREP_ENDPOINT.name)) return [];
  return env.length === 0
    ? [{ op: 'add', path: `${path}/env`, value: [OFREP_ENDPOINT] }]
    : [{ op: 'add', path: `${path}/env/-`, value: OFREP_ENDPOINT }];
}

const containersOf = (spec: PodSpec | undefined): readonly Container[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
];
