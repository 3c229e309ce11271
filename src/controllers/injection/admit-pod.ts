import { INJECT_ENABLED, INJECT_LABEL } from '../../api/names.ts';
import type { Pod } from '../../kube/builtins.ts';
import type { AdmissionAnswer, AdmissionRequest } from '../../kube/webhook-server.ts';
import { hasSidecar, injectionPatch, whyNotInjectable } from './inject-pod.ts';
import type { SidecarSettings } from './sidecar-container.ts';

/**
 * The webhook for labelled pods, to most of which the API server itself has given an evaluator where it can (the chart's
 * MutatingAdmissionPolicy, which says the same as this in CEL). It never refuses one: a pod that can have no evaluator runs without, with a warning now and an
 * event later (pods-without-sidecar.ts). `claim` sees to it that its namespace has a ruleset, and waits for nothing.
 */
export function admitPod(settings: SidecarSettings, claim: (namespace: string) => void) {
  return async ({ operation, namespace, object, dryRun }: AdmissionRequest): Promise<AdmissionAnswer> => {
    const pod = object as Pod | null | undefined;
    if (operation !== 'CREATE' || !pod || namespace === undefined) return { allowed: true };
    if (pod.metadata.labels?.[INJECT_LABEL] !== INJECT_ENABLED) return { allowed: true };
    if (!dryRun) claim(namespace);
    if (hasSidecar(pod)) return { allowed: true };
    const why = whyNotInjectable(pod);
    if (why !== undefined) return { allowed: true, warnings: [`the pod gets no evaluator of flags, because ${why}`] };
    return { allowed: true, patch: injectionPatch(pod, settings) };
  };
}
