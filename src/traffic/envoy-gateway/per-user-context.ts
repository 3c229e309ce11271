import type { Stickiness } from '../../api/stickiness.ts';
import type { EnvoyPolicy, Target } from './policy.ts';

/** A Gateway that a route names as parent. */
export interface Parent {
  readonly gateway: Target;
  /** The one listener of it that the route is attached to; undefined = all that take it. */
  readonly sectionName: string | undefined;
  /** Of its GatewayClass; undefined where that is not known. */
  readonly controllerName: string | undefined;
}

/** A route of a Rollout, with its parents; one that is no Gateway is undefined. */
export interface SteeredRoute {
  readonly target: Target;
  readonly parents: readonly (Parent | undefined)[];
}

/** What policies for one Rollout are made from. */
export interface PerUserContext {
  readonly rollout: { readonly namespace: string; readonly name: string };
  readonly stickiness: Stickiness;
  readonly routes: readonly SteeredRoute[];
  /** Where the evaluator of the gateway runs. */
  readonly operatorNamespace: string;
  /** Of the whole cluster, but grants of the operator's namespace; undefined where Envoy Gateway's definitions are not installed. */
  readonly policies:
    | {
        readonly security: readonly EnvoyPolicy[];
        readonly clientTraffic: readonly EnvoyPolicy[];
        readonly grants: readonly EnvoyPolicy[];
      }
    | undefined;
}
