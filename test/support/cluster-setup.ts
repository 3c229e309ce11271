import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of an administrator's kubeconfig for the cluster of the end-to-end tests. */
    clusterKubeconfig: string;
    /** Name of the local instance that it is; empty for somebody else's cluster. */
    clusterInstance: string;
  }
}

/** Passes on what hack/test.ts has brought up: vitest already runs inside the cluster's network here. */
export default function setup(project: TestProject): void {
  const { SLUICE_E2E_KUBECONFIG: kubeconfig, SLUICE_E2E_INSTANCE: instance } = process.env;
  if (kubeconfig === undefined) throw new Error('end-to-end tests run inside a cluster: npm run test:e2e');
  project.provide('clusterKubeconfig', kubeconfig);
  project.provide('clusterInstance', instance ?? '');
}
