import type { TestProject } from 'vitest/node';
import { ControlPlane } from './control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of an administrator's kubeconfig for the API server that all integration tests share. */
    kubeconfig: string;
  }
}

const START_TIMEOUT_MS = 1_200_000; // a machine that has to build Kubernetes first

/** Starts the API server that all files of the project `integration` share, and ends it after the last one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await ControlPlane.start(AbortSignal.timeout(START_TIMEOUT_MS));
  project.provide('kubeconfig', plane.kubeconfigPath);
  return () => plane.stop();
}
