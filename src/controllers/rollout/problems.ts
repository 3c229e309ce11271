import type { PrometheusQuery } from '../../api/metric.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import type { Problem } from '../../core/rollout/observed.ts';
import { plansOf } from '../../core/rollout/plan.ts';
import type { Deployment, Service } from '../../kube/builtins.ts';
import { findRouteProblems } from '../../traffic/gateway-api/find-route-problems.ts';
import type { HttpRoute } from '../../traffic/gateway-api/http-route.ts';
import { matches } from './endpoints.ts';
import { gatewaysOf, othersInFlight, policiesOnRules } from './gather-routes.ts';
import { stickinessProblems } from './gather-sticky.ts';
import { guardrailsOf, metricNamed } from './guardrail-rules.ts';
import { canaryName, isHelperOf, servicesOf, stableName } from './manifests.ts';
import { parsedMetric } from './parsed.ts';
import { mistakeOf } from './query-text.ts';
import { olderRival } from './rivals.ts';
import type { CustomObject, Sources } from './sources.ts';

/** Why a Rollout cannot be carried out as it stands. Judged before anything starts, and again at every look. */
export function findProblems(sources: Sources, rollout: CustomObject, spec: RolloutSpec): Problem[] {
  const namespace = rollout.metadata.namespace ?? '';
  const deployment = sources.deployments.get({ namespace, name: spec.workload.name });
  const service = sources.services.get({ namespace, name: spec.traffic.service });
  return [
    ...rivalProblems(sources, rollout, spec),
    ...(deployment ? workloadProblems(deployment) : []),
    ...serviceProblems(sources, rollout, spec, service, deployment),
    ...guardrailProblems(sources, rollout, spec),
    ...spec.traffic.router.gatewayAPI.httpRoutes.flatMap(({ name }) => routeProblems(sources, rollout, spec, name)),
    ...stickinessProblems(sources, rollout, spec),
  ];
}

/** Two Rollouts for one Deployment or Service (a route may hold rules of several). */
function rivalProblems(sources: Sources, rollout: CustomObject, spec: RolloutSpec): Problem[] {
  const older = olderRival(sources, rollout, spec);
  if (!older) return [];
  const message = `Rollout ${older.metadata.name} already has this Deployment or Service`;
  return [{ code: 'SLUICE_ROLLOUT_RIVAL', message }];
}

function workloadProblems(deployment: Deployment): Problem[] {
  if (deployment.spec?.strategy?.type !== 'Recreate') return [];
  return [
    {
      code: 'SLUICE_WORKLOAD_RECREATE',
      message: 'the Deployment has strategy Recreate, whose users must never run two versions',
    },
  ];
}

function serviceProblems(
  sources: Sources,
  rollout: CustomObject,
  { traffic }: RolloutSpec,
  service: Service | undefined,
  deployment: Deployment | undefined,
): Problem[] {
  if (!service) return [{ code: 'SLUICE_SERVICE_NOT_FOUND', message: `Service ${traffic.service} does not exist` }];
  const { namespace = '' } = rollout.metadata;
  const problem = (code: string, message: string): Problem[] => [
    { code, message: `Service ${traffic.service} ${message}` },
  ];
  if (service.spec?.type === 'ExternalName') return problem('SLUICE_SERVICE_EXTERNAL', 'is of type ExternalName');
  if (Object.keys(service.spec?.selector ?? {}).length === 0)
    return problem('SLUICE_SERVICE_NO_SELECTOR', 'has no selector');
  if (canaryName(traffic.service).length > 63)
    return problem('SLUICE_SERVICE_NAME_LONG', 'has a name too long for its helper Services');
  for (const name of [stableName(traffic.service), canaryName(traffic.service)]) {
    const helper = sources.services.get({ namespace, name });
    if (helper && !isHelperOf(helper, rollout))
      return [{ code: 'SLUICE_SERVICE_FOREIGN_HELPER', message: `Service ${name} exists and is not Sluice’s` }];
  }
  const labels = deployment?.spec?.template?.metadata?.labels;
  const { 'pod-template-hash': _pin, ...selector } = service.spec?.selector ?? {};
  if (deployment && !matches(selector, labels))
    return problem('SLUICE_SERVICE_OTHER_PODS', 'does not select the pods of the Deployment');
  for (const other of sources.deployments.byIndex('namespace', namespace)) {
    const another = other.metadata.name !== deployment?.metadata.name;
    if (another && matches(selector, other.spec?.template?.metadata?.labels))
      return problem('SLUICE_SERVICE_SHARED', `also selects the pods of Deployment ${other.metadata.name}`);
  }
  return [];
}

function guardrailProblems(sources: Sources, rollout: CustomObject, spec: RolloutSpec): Problem[] {
  return guardrailsOf(sources, spec).flatMap(({ name, query, metric = '' }) => {
    if (query) return queryProblems(name, query);
    const object = metricNamed(sources, rollout, metric);
    if (!object)
      return [{ code: 'SLUICE_METRIC_NOT_FOUND', message: `guardrail ${name}: Metric ${metric} does not exist` }];
    const parsed = parsedMetric(object);
    if (parsed.ok) return queryProblems(name, parsed.metric.spec.provider.prometheus);
    return parsed.problems.slice(0, 1).map(({ path, message }) => ({
      code: 'SLUICE_METRIC_INVALID',
      message: `guardrail ${name}: Metric ${metric}: ${path} ${message}`,
    }));
  });
}

function queryProblems(guardrail: string, query: PrometheusQuery): Problem[] {
  const { mistake } = mistakeOf(query);
  return mistake === undefined ? [] : [{ code: 'SLUICE_QUERY_REFUSED', message: `guardrail ${guardrail}: ${mistake}` }];
}

function routeProblems(sources: Sources, rollout: CustomObject, spec: RolloutSpec, name: string): Problem[] {
  const route = sources.httpRoutes.get({ namespace: rollout.metadata.namespace, name });
  if (!route) return [{ code: 'SLUICE_ROUTE_NOT_FOUND', message: `HTTPRoute ${name} does not exist` }];
  const context = {
    services: servicesOf(spec),
    rolloutUid: rollout.metadata.uid ?? '',
    inFlight: othersInFlight(sources, rollout),
    gateways: gatewaysOf(sources, route),
    plans: plansOf({ steps: spec.steps, stickiness: spec.traffic.stickiness }),
    // With stickiness all of them are refused, whatever the steps (`stickinessProblems`).
    policiesOnRules: spec.traffic.stickiness ? new Map<string, string>() : policiesOnRules(sources, route),
  };
  return findRouteProblems(route as unknown as HttpRoute, context).map(({ kind: _, ...problem }) => problem);
}
