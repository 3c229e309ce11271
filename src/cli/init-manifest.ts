/** What `init` found out about a Deployment. */
export interface Findings {
  readonly namespace: string;
  readonly deployment: string;
  readonly service: string;
  /** Routes that send to the Service; at least one. */
  readonly httpRoutes: readonly string[];
  /** Other Services that pick the same pods. */
  readonly otherServices: readonly string[];
  /** Metrics of the namespace itself. */
  readonly metrics: readonly string[];
}

const GUARDRAILS = `  guardrails:
    # Presets of the operator; both read what prom-client and most libraries count: http_requests_total{code},
    # http_request_duration_seconds. Behind Envoy or ingress-nginx there are envoy-* and nginx-* of the same kind.
    - name: errors
      metric: http-error-ratio
      max: 0.01
    - name: latency
      metric: http-p99-seconds
      maxIncreaseOverStable: # worse than stable by more than 20 % and by more than 50 ms
        relative: 0.2
        absolute: 0.05`;

/** A Rollout with comments that passes lint and fits what was found. */
export function initManifest({ namespace, deployment, service, httpRoutes, otherServices, metrics }: Findings): string {
  const notes = [
    ...otherServices.map((name) => `# Service ${name} picks the same pods; its clients follow no weights.`),
    ...(metrics.length > 0 ? [`# Metrics of this namespace: ${metrics.join(', ')}.`] : []),
  ];
  return [
    `# Apply it, and add the label sluice.dev/gate: enabled to the manifest of Deployment ${deployment}.`,
    ...notes,
    'apiVersion: sluice.dev/v1alpha1',
    'kind: Rollout',
    'metadata:',
    `  name: ${deployment}`,
    `  namespace: ${namespace}`,
    'spec:',
    '  mode: Observe # decides and reports, changes nothing; remove this line when you trust it',
    '  workload:',
    `    name: ${deployment}`,
    '  traffic:',
    `    service: ${service}`,
    '    router:',
    '      gatewayAPI:',
    '        httpRoutes:',
    ...httpRoutes.map((name) => `          - name: ${name}`),
    '  steps:',
    ...[5, 25, 50].flatMap((weight) => [`    - weight: ${weight}`, '      hold: 2m']),
    '    - weight: 100 # stable pods stay until this hold and the bake are over',
    '      hold: 5m',
    GUARDRAILS,
  ].join('\n');
}
