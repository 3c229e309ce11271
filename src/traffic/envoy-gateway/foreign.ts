import { ROLLOUT_LABEL } from '../../api/names.ts';
import type { Parent, PerUserContext } from './per-user-context.ts';
import { type EnvoyPolicy, sectionsHit, type Target } from './policy.ts';
import { isOurs } from './wanted.ts';

/** SecurityPolicies on a route, or on a rule of it, that this Rollout did not make. */
export const foreignFor = (route: Target, { policies, rollout }: PerUserContext): EnvoyPolicy[] =>
  (policies?.security ?? []).filter(
    (policy) =>
      sectionsHit(policy, route).length > 0 &&
      !(isOurs(policy) && policy.metadata.labels?.[ROLLOUT_LABEL] === rollout.name),
  );

/** ClientTrafficPolicies of somebody else. */
export const foreignClientTraffic = ({ policies }: PerUserContext): EnvoyPolicy[] =>
  (policies?.clientTraffic ?? []).filter((policy) => !isOurs(policy));

/** Those sections of the parent that a policy meets and that the route is attached to. */
export function listenersHit(policy: EnvoyPolicy, { gateway, sectionName }: Parent): (string | undefined)[] {
  return sectionsHit(policy, gateway).filter(
    (section) => section === undefined || sectionName === undefined || section === sectionName,
  );
}

/** The Gateways behind the routes; one entry for each listener that a route names. */
export function gatewaysOf({ routes }: PerUserContext): Parent[] {
  const all = routes.flatMap(({ parents }) => parents.filter((parent) => parent !== undefined));
  const keys = all.map(({ gateway, sectionName }) => `${gateway.namespace}/${gateway.name}/${sectionName ?? ''}`);
  return all.filter((_, index) => keys.indexOf(keys[index] as string) === index);
}
