import { describe, expect, test } from 'vitest';
import { attachmentOf, findPerUserProblems, wantedPolicies } from '../../../src/traffic/envoy-gateway/attachment.ts';
import type { Parent, PerUserContext } from '../../../src/traffic/envoy-gateway/per-user-context.ts';
import { type EnvoyPolicy, sectionsHit } from '../../../src/traffic/envoy-gateway/policy.ts';
import { referenceGrant } from '../../../src/traffic/envoy-gateway/wanted.ts';

const ENVOY = 'gateway.envoyproxy.io/gatewayclass-controller';
const gateway = { kind: 'Gateway' as const, namespace: 'infra', name: 'public', labels: { tier: 'edge' } };
const parent = (more: Partial<Parent> = {}): Parent => ({
  gateway,
  sectionName: undefined,
  controllerName: ENVOY,
  ...more,
});
const route = { kind: 'HTTPRoute' as const, namespace: 'shop', name: 'web', labels: { app: 'web' } };

interface Given {
  readonly parents?: PerUserContext['routes'][number]['parents'];
  readonly security?: readonly EnvoyPolicy[];
  readonly clientTraffic?: readonly EnvoyPolicy[];
}

const contextOf = ({ parents = [parent()], security = [], clientTraffic = [] }: Given = {}): PerUserContext => ({
  rollout: { namespace: 'shop', name: 'catalog' },
  stickiness: { unit: [{ cookie: 'sluice-unit' }, { header: 'X-User-Id' }] },
  routes: [{ target: route, parents }],
  operatorNamespace: 'sluice-system',
  policies: { security, clientTraffic },
});

const theirs = (namespace: string, spec: EnvoyPolicy['spec']): EnvoyPolicy => ({
  metadata: { name: 'theirs', namespace },
  ...(spec ? { spec } : {}),
});
const onRoute = { targetRefs: [{ kind: 'HTTPRoute', name: 'web' }] };
const onGateway = { targetRefs: [{ kind: 'Gateway', name: 'public' }] };
const problems = (given: Given) => findPerUserProblems(contextOf(given)).map(({ code }) => code);
/** What a message tells to add. */
const stanzaIn = (given: Given): object => {
  const [problem] = findPerUserProblems(contextOf(given));
  return JSON.parse(/add to its spec[a-z.]*: (\{.*\})$/.exec(problem?.message ?? '')?.[1] ?? '');
};

describe('what is attached', () => {
  test('asks the evaluator about a route, and keeps what its Gateway asks', () => {
    const { security } = wantedPolicies(contextOf());
    expect(security).toMatchObject([
      {
        kind: 'SecurityPolicy',
        metadata: {
          namespace: 'shop',
          name: 'sluice-catalog-web',
          labels: { 'sluice.dev/rollout': 'catalog', 'app.kubernetes.io/managed-by': 'sluice' },
          annotations: { 'sluice.dev/gateways': 'infra/public' },
        },
        spec: {
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'web' }],
          mergeType: 'StrategicMerge',
          extAuth: {
            failOpen: true,
            recomputeRoute: true,
            timeout: '100ms',
            headersToExtAuth: ['cookie', 'x-user-id', 'accept', 'sec-fetch-mode', 'sec-fetch-dest'],
            contextExtensions: [
              { name: 'sluice-rollout', type: 'Value', value: 'shop/catalog' },
              { name: 'sluice-units', type: 'Value', value: 'cookie:sluice-unit,header:x-user-id' },
            ],
            grpc: {
              backendRefs: [{ kind: 'Service', namespace: 'sluice-system', name: 'sluice-evaluator', port: 8018 }],
            },
          },
        },
      },
    ]);
  });

  test('takes our headers off requests, once for each Gateway', () => {
    const listeners = [parent({ sectionName: 'http' }), parent({ sectionName: 'https' })];
    expect(wantedPolicies(contextOf({ parents: listeners })).clientTraffic).toMatchObject([
      {
        metadata: { namespace: 'infra', name: 'sluice-public' },
        spec: {
          headers: { earlyRequestHeaders: { remove: ['x-sluice-variant', 'x-sluice-unit', 'x-sluice-revision'] } },
        },
      },
    ]);
  });

  test('lets policies of that namespace alone send to the evaluator', () => {
    expect(referenceGrant(contextOf())).toMatchObject({
      metadata: { namespace: 'sluice-system', name: 'sluice-shop.catalog' },
      spec: {
        from: [{ group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace: 'shop' }],
        to: [{ group: '', kind: 'Service', name: 'sluice-evaluator' }],
      },
    });
  });
});

describe('how far it is', () => {
  /** Ours as they stand in the cluster, judged so. */
  const attached = (status: 'True' | 'False' | undefined, generation = 1): Given => {
    const { security, clientTraffic } = wantedPolicies(contextOf());
    const conditions = status ? [{ type: 'Accepted', status, observedGeneration: 1, message: 'why' }] : [];
    const judged = (policy: EnvoyPolicy): EnvoyPolicy => ({
      ...policy,
      metadata: { ...policy.metadata, generation },
      status: { ancestors: [{ conditions }] },
    });
    return { security: security.map(judged), clientTraffic: clientTraffic.map(judged) };
  };

  test('due until all are there, then awaited, then attached', () => {
    expect(attachmentOf(contextOf()).kind).toBe('Due');
    expect(attachmentOf(contextOf({ ...attached('True'), clientTraffic: [] })).kind).toBe('Due');
    expect(attachmentOf(contextOf(attached(undefined))).kind).toBe('Waiting');
    expect(attachmentOf(contextOf(attached('True', 2))).kind).toBe('Waiting');
    expect(attachmentOf(contextOf(attached('True')))).toEqual({ kind: 'Attached' });
  });

  test('attached where it was merged into the policy of a listener, which says no more than that', () => {
    const { security = [], clientTraffic = [] } = attached('True');
    const merged = security.map((one) => ({
      ...one,
      status: {
        ancestors: [
          { conditions: [{ type: 'Merged', status: 'True', observedGeneration: 1 }] },
          { conditions: [{ type: 'Accepted', status: 'True', observedGeneration: 1 }] },
        ],
      },
    }));
    expect(attachmentOf(contextOf({ security: merged, clientTraffic })).kind).toBe('Attached');
  });

  test('due again when somebody changed what is ours, but not for what the API server filled in', () => {
    const { security = [], clientTraffic = [] } = attached('True');
    const filled = security.map((one) => ({ ...one, spec: { ...one.spec, cors: undefined, defaulted: true } }));
    expect(attachmentOf(contextOf({ security: filled, clientTraffic })).kind).toBe('Attached');
    const broken = security.map((one) => ({ ...one, spec: { ...one.spec, mergeType: undefined } }));
    expect(attachmentOf(contextOf({ security: broken, clientTraffic })).kind).toBe('Due');
  });

  test('refused with the word of the gateway', () => {
    expect(attachmentOf(contextOf(attached('False')))).toEqual({
      kind: 'Refused',
      code: 'SLUICE_STICKINESS_NOT_ATTACHED',
      message: 'SecurityPolicy shop/sluice-catalog-web: why',
    });
  });
});

describe('why people cannot be told apart', () => {
  test('only behind Envoy Gateway, with its policies', () => {
    expect(problems({})).toEqual([]);
    for (const parents of [[], [undefined], [parent({ controllerName: undefined })], [parent({ controllerName: 'x' })]])
      expect(problems({ parents })).toEqual(['SLUICE_STICKINESS_UNSUPPORTED']);
    expect(problems({ parents: [parent(), parent({ controllerName: 'x' })] })).toEqual([
      'SLUICE_STICKINESS_UNSUPPORTED',
    ]);
    const { policies: _none, ...rest } = contextOf();
    expect(findPerUserProblems({ ...rest, policies: undefined })).toMatchObject([
      { code: 'SLUICE_STICKINESS_UNSUPPORTED' },
    ]);
  });

  test.each([
    ['by name', onRoute],
    ['by the former field', { targetRef: { kind: 'HTTPRoute', name: 'web' } }],
    ['on one of its rules', { targetRefs: [{ kind: 'HTTPRoute', name: 'web', sectionName: 'first' }] }],
    ['by label', { targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { app: 'web' } }] }],
  ])('a policy of somebody else on the route, %s, until it says what ours would', (_how, spec) => {
    expect(problems({ security: [theirs('shop', spec)] })).toEqual(['SLUICE_STICKINESS_POLICY_TAKEN']);
    const mended = theirs('shop', { ...spec, ...stanzaIn({ security: [theirs('shop', spec)] }) });
    expect(problems({ security: [mended] })).toEqual([]);
    expect(wantedPolicies(contextOf({ security: [mended] })).security).toEqual([]);
  });

  test('a policy of another Rollout on the same route', () => {
    const { security: own } = wantedPolicies(contextOf());
    const { security: other } = wantedPolicies({ ...contextOf(), rollout: { namespace: 'shop', name: 'b' } });
    expect(problems({ security: own })).toEqual([]);
    expect(problems({ security: other })).toEqual(['SLUICE_STICKINESS_POLICY_TAKEN']);
  });

  test('a check of the Gateway’s own, which ours would replace; a check of tokens is no trouble', () => {
    expect(problems({ security: [theirs('infra', { ...onGateway, jwt: { providers: [] } })] })).toEqual([]);
    const checking = theirs('infra', { ...onGateway, extAuth: { http: {} } });
    expect(problems({ security: [checking] })).toEqual(['SLUICE_STICKINESS_GATEWAY_CHECK']);
  });

  test('a policy at the listener that would let forged headers in, until it takes them off', () => {
    const given = { clientTraffic: [theirs('infra', { ...onGateway, timeout: {} })] };
    expect(problems(given)).toEqual(['SLUICE_STICKINESS_CLIENT_POLICY_TAKEN']);
    const mended = theirs('infra', { ...onGateway, headers: stanzaIn(given) });
    expect(problems({ clientTraffic: [mended] })).toEqual([]);
    expect(wantedPolicies(contextOf({ clientTraffic: [mended] })).clientTraffic).toEqual([]);
  });

  test('only listeners that the route is attached to count', () => {
    const onListener = { targetRefs: [{ kind: 'Gateway', name: 'public', sectionName: 'internal' }] };
    const given = { clientTraffic: [theirs('infra', onListener)] };
    expect(problems(given)).toEqual(['SLUICE_STICKINESS_CLIENT_POLICY_TAKEN']);
    expect(problems({ ...given, parents: [parent({ sectionName: 'internal' })] })).toHaveLength(1);
    expect(problems({ ...given, parents: [parent({ sectionName: 'https' })] })).toEqual([]);
  });

  test('policies for other routes, Gateways and namespaces are nobody’s trouble', () => {
    const security = [
      theirs('shop', { targetRefs: [{ kind: 'HTTPRoute', name: 'other' }] }),
      theirs('elsewhere', onRoute),
      theirs('shop', { targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { app: 'api' } }] }),
    ];
    expect(problems({ security, clientTraffic: [theirs('elsewhere', onGateway)] })).toEqual([]);
  });
});

test.each([
  ['In', ['web'], true],
  ['In', ['api'], false],
  ['NotIn', ['api'], true],
  ['NotIn', ['web'], false],
  ['Exists', undefined, true],
  ['DoesNotExist', undefined, false],
])('a selector with %s %j meets a route by its labels: %s', (operator, values, meets) => {
  const expression = { key: 'app', operator, ...(values ? { values } : {}) };
  const policy = theirs('shop', { targetSelectors: [{ kind: 'HTTPRoute', matchExpressions: [expression] }] });
  expect(sectionsHit(policy, route).length > 0).toBe(meets);
});

test('a selector reaches other namespaces only where it says so', () => {
  const selector = { kind: 'HTTPRoute', matchLabels: { app: 'web' } };
  expect(sectionsHit(theirs('infra', { targetSelectors: [selector] }), route)).toEqual([]);
  const wide = { ...selector, namespaces: { from: 'All' } };
  expect(sectionsHit(theirs('infra', { targetSelectors: [wide] }), route)).toEqual([undefined]);
});
