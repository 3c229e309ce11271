/** The gateway behind one parentRef: its GatewayClass's spec.controllerName and status.supportedFeatures (names). */
export interface GatewayFacts {
  readonly controllerName: string;
  readonly supportedFeatures: readonly string[];
}

/** Gateway API feature names that decide whether a plan can be carried. Weights and exact header matches are core. */
export type Feature = 'HTTPRouteMethodMatching' | 'HTTPRouteRequestMirror' | 'HTTPRouteRequestPercentageMirror';

export type Support = 'Yes' | 'No' | 'Unknown';

/** Tried by us; for controllers that publish no features. */
const tried: Readonly<Record<string, readonly Feature[]>> = {
  // Envoy Gateway 1.9.1: 2,000 requests at 20 % mirrored 19.4 %.
  'gateway.envoyproxy.io/gatewayclass-controller': [
    'HTTPRouteMethodMatching',
    'HTTPRouteRequestMirror',
    'HTTPRouteRequestPercentageMirror',
  ],
};

/** What all gateways of a route have together. No published features means unknown, not unsupported. */
export function supports(gateways: readonly GatewayFacts[], feature: Feature): Support {
  const each = gateways.map((gateway) => supportOf(gateway, feature));
  if (each.includes('No')) return 'No';
  return each.length > 0 && each.every((support) => support === 'Yes') ? 'Yes' : 'Unknown';
}

function supportOf({ controllerName, supportedFeatures }: GatewayFacts, feature: Feature): Support {
  if (supportedFeatures.includes(feature) || tried[controllerName]?.includes(feature)) return 'Yes';
  return supportedFeatures.length > 0 ? 'No' : 'Unknown';
}
