import { sidecarContainer, sidecarVolumes } from '../src/controllers/injection/sidecar-container.ts';

/** What the chart's MutatingAdmissionPolicy puts into pods: as the webhook does, with what Helm fills in left out. */
export function injectedSidecar(): string {
  const settings = { image: '', imagePullPolicy: 'IfNotPresent', resources: {}, operator: 'OPERATOR' } as const;
  return `${JSON.stringify({ container: sidecarContainer(settings), volumes: sidecarVolumes }, null, 2)}\n`;
}
