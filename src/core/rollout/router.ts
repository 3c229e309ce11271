import type { RolloutSpec } from '../../api/rollout.ts';
import type { InFlight } from '../../api/rollout-status.ts';

type Router = NonNullable<InFlight['router']>;

/** What a rollout freezes of the spec when it begins: everything that it will have to put back. */
export const routerOf = ({ traffic: { service, pinService, router } }: RolloutSpec): Router => ({
  service,
  pinService,
  httpRoutes: router.gatewayAPI.httpRoutes.map(({ name }) => name),
});

/** The spec as it is for a rollout in flight. One that an older version began froze no router. */
export function withRouter(spec: RolloutSpec, frozen: Router | undefined): RolloutSpec {
  if (!frozen) return spec;
  const { service, pinService, httpRoutes } = frozen;
  const router = { gatewayAPI: { httpRoutes: httpRoutes.map((name) => ({ name })) } };
  return { ...spec, traffic: { ...spec.traffic, service, pinService, router } };
}
