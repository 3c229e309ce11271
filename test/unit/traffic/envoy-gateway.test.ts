import { describe, expect, test } from 'vitest';
import { attachmentOf } from '../../../src/traffic/envoy-gateway/attachment.ts';
import type { Parent, PerUserContext } from '../../../src/traffic/envoy-gateway/per-user-context.ts';
import { findPerUserProblems } from '../../../src/traffic/envoy-gateway/per-user-problems.ts';
import { type EnvoyPolicy, sectionsHit } from '../../../src/traffic/envoy-gateway/policy.ts';
import { wantedPolicies } from '../../../src/traffic/envoy-gateway/wanted-policies.ts';

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
  readonly grants?: readonly EnvoyPolicy[];
}

const contextOf = ({
  parents = [parent()],
  security = [],
  clientTraffic = [],
  grants = [],
}: Given = {}): PerUserContext => ({
  rollout: { namespace: 'shop', name: 'catalog' },
  stickiness: { unit: [{ cookie: 'sluice-unit' }, { header: 'X-User-Id' }] },
  routes: [{ target: route, parents }],
  operatorNamespace: 'sluice-system',
  policies: { security, clientTraffic, grants },
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
          name: expect.stringMatching(/^sluice-catalog-web-[0-9a-f]{8}$/),
          labels: { 'sluice.dev/rollout': 'catalog', 'app.kubernetes.io/managed-by': 'sluice' },
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
    expect(wantedPolicies(contextOf()).grant).toMatchObject({
      metadata: {
        namespace: 'sluice-system',
        name: 'sluice-shop.catalog',
        annotations: { 'sluice.dev/gateways': 'infra/public' },
      },
      spec: {
        from: [{ group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace: 'shop' }],
        to: [{ group: '', kind: 'Service', name: 'sluice-evaluator' }],
      },
    });
  });

  test('has a name of its own for each Rollout and route, however they are called', () => {
    const nameOf = (rollout: string, on: string) =>
      wantedPolicies({
        ...contextOf(),
        rollout: { namespace: 'shop', name: rollout },
        routes: [{ target: { ...route, name: on }, parents: [parent()] }],
      }).security[0]?.metadata.name;
    expect(nameOf('catalog', 'api-web')).not.toBe(nameOf('catalog-api', 'web'));
    expect(nameOf('catalog', 'api.web')).not.toBe(nameOf('catalog.api', 'web'));
    const [one, other] = ['b', 'c'].map((end) => nameOf('catalog', `${'a'.repeat(245)}-${end}`));
    expect(one).not.toBe(other);
    for (const name of [one, other]) expect(name?.length).toBeLessThanOrEqual(253);
  });
});

describe('how far it is', () => {
  /** Ours as they stand in the cluster, judged so. */
  const attached = (status: 'True' | 'False' | undefined, generation = 1): Given => {
    const { security, clientTraffic, grant } = wantedPolicies(contextOf());
    const conditions = status ? [{ type: 'Accepted', status, observedGeneration: 1, message: 'why' }] : [];
    const judged = (policy: EnvoyPolicy): EnvoyPolicy => ({
      ...policy,
      metadata: { ...policy.metadata, generation },
      status: { ancestors: [{ conditions }] },
    });
    return { security: security.map(judged), clientTraffic: clientTraffic.map(judged), grants: [grant] };
  };

  test('due until all are there, then awaited, then attached', () => {
    expect(attachmentOf(contextOf()).kind).toBe('Due');
    expect(attachmentOf(contextOf({ ...attached('True'), clientTraffic: [] })).kind).toBe('Due');
    expect(attachmentOf(contextOf({ ...attached('True'), grants: [] })).kind).toBe('Due');
    expect(attachmentOf(contextOf(attached(undefined))).kind).toBe('Waiting');
    expect(attachmentOf(contextOf(attached('True', 2))).kind).toBe('Waiting');
    expect(attachmentOf(contextOf(attached('True')))).toEqual({ kind: 'Attached' });
  });

  test('attached where it was merged into the policy of a listener, which says no more than that', () => {
    const { security = [], ...others } = attached('True');
    const merged = security.map((one) => ({
      ...one,
      status: {
        ancestors: [
          { conditions: [{ type: 'Merged', status: 'True', observedGeneration: 1 }] },
          { conditions: [{ type: 'Accepted', status: 'True', observedGeneration: 1 }] },
        ],
      },
    }));
    expect(attachmentOf(contextOf({ ...others, security: merged })).kind).toBe('Attached');
  });

  test('due again when somebody changed what is ours, but not for what the API server filled in', () => {
    const { security = [], ...others } = attached('True');
    const filled = security.map((one) => ({ ...one, spec: { ...one.spec, cors: undefined, defaulted: true } }));
    expect(attachmentOf(contextOf({ ...others, security: filled })).kind).toBe('Attached');
    const broken = security.map((one) => ({ ...one, spec: { ...one.spec, mergeType: undefined } }));
    expect(attachmentOf(contextOf({ ...others, security: broken })).kind).toBe('Due');
  });

  test('refused with the word of the gateway', () => {
    expect(attachmentOf(contextOf(attached('False')))).toEqual({
      kind: 'Refused',
      code: 'SLUICE_STICKINESS_NOT_ATTACHED',
      message: expect.stringMatching(/^SecurityPolicy shop\/sluice-catalog-web-[0-9a-f]{8}: why$/),
    });
  });

  describe('where others have the policies', () => {
    const stanza = stanzaIn({ security: [theirs('shop', onRoute)] });
    const strip = stanzaIn({ clientTraffic: [theirs('infra', onGateway)] });
    const judgedAs = (status: 'True' | 'False' | undefined, policy: EnvoyPolicy): EnvoyPolicy => ({
      ...policy,
      metadata: { ...policy.metadata, generation: 3 },
      status: {
        ancestors: status
          ? [{ conditions: [{ type: 'Accepted', status, observedGeneration: 3, message: 'why' }] }]
          : [],
      },
    });
    const bothTheirs = (
      check: 'True' | 'False' | undefined,
      stripping: 'True' | 'False' | undefined = 'True',
    ): Given => ({
      security: [judgedAs(check, theirs('shop', { ...onRoute, ...stanza }))],
      clientTraffic: [judgedAs(stripping, theirs('infra', { ...onGateway, headers: strip }))],
    });

    test('the grant is due all the same: without it the gateway asks nobody', () => {
      const given = bothTheirs('False');
      const { grant, security, clientTraffic } = wantedPolicies(contextOf(given));
      expect([security, clientTraffic]).toEqual([[], []]);
      expect(attachmentOf(contextOf(given))).toMatchObject({
        kind: 'Due',
        message: 'ReferenceGrant sluice-system/sluice-shop.catalog is attached',
      });
      const bare = { ...grant, metadata: { ...grant.metadata, annotations: {} } };
      expect(attachmentOf(contextOf({ ...given, grants: [bare] })).kind).toBe('Due');
      expect(attachmentOf(contextOf({ ...bothTheirs('True'), grants: [grant] })).kind).toBe('Attached');
    });

    test('they count only as far as the gateway accepts them', () => {
      const grants = [wantedPolicies(contextOf()).grant];
      expect(attachmentOf(contextOf({ ...bothTheirs(undefined), grants })).kind).toBe('Waiting');
      expect(attachmentOf(contextOf({ ...bothTheirs('False'), grants }))).toEqual({
        kind: 'Refused',
        code: 'SLUICE_STICKINESS_NOT_ATTACHED',
        message: 'SecurityPolicy shop/theirs: why',
      });
      expect(attachmentOf(contextOf({ ...bothTheirs('True', 'False'), grants }))).toMatchObject({
        message: 'ClientTrafficPolicy infra/theirs: why',
      });
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
    ['by label', { targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { app: 'web' } }] }],
  ])('a policy of somebody else on the route, %s, until it says what ours would', (_how, spec) => {
    expect(problems({ security: [theirs('shop', spec)] })).toEqual(['SLUICE_STICKINESS_POLICY_TAKEN']);
    const mended = theirs('shop', { ...spec, ...stanzaIn({ security: [theirs('shop', spec)] }) });
    expect(problems({ security: [mended] })).toEqual([]);
    expect(wantedPolicies(contextOf({ security: [mended] })).security).toEqual([]);
  });

  test('a policy on one rule of the route, also with what ours would say: it has no hold of the rules that Sluice adds', () => {
    const onRule = { targetRefs: [{ kind: 'HTTPRoute', name: 'web', sectionName: 'first' }] };
    const stanza = stanzaIn({ security: [theirs('shop', onRoute)] });
    for (const spec of [onRule, { ...onRule, ...stanza }]) {
      expect(findPerUserProblems(contextOf({ security: [theirs('shop', spec)] }))).toMatchObject([
        {
          code: 'SLUICE_ROUTE_RULE_POLICY',
          message:
            'SecurityPolicy theirs is attached to the rule first of HTTPRoute web, and would not hold for the rules that Sluice adds',
        },
      ]);
    }
  });

  test('an object of somebody else with the name of one of ours is left as it is', () => {
    const { grant, security, clientTraffic } = wantedPolicies(contextOf());
    const elsewhere = { targetRefs: [{ kind: 'HTTPRoute', name: 'other' }] };
    const unlabelled = (one: EnvoyPolicy | undefined): EnvoyPolicy => ({
      metadata: { name: one?.metadata.name ?? '', namespace: one?.metadata.namespace ?? '' },
      spec: elsewhere,
    });
    for (const given of [
      { grants: [unlabelled(grant)] },
      { security: [unlabelled(security[0])] },
      { clientTraffic: [unlabelled(clientTraffic[0])] },
    ]) {
      expect(problems(given)).toEqual(['SLUICE_STICKINESS_NAME_TAKEN']);
      expect(attachmentOf(contextOf(given))).toMatchObject({ kind: 'Refused', code: 'SLUICE_STICKINESS_NAME_TAKEN' });
    }
    const ofAnother = {
      ...security[0]?.metadata,
      labels: { ...security[0]?.metadata.labels, 'sluice.dev/rollout': 'b' },
    };
    expect(problems({ security: [{ ...unlabelled(security[0]), metadata: ofAnother as never }] })).toEqual([
      'SLUICE_STICKINESS_NAME_TAKEN',
    ]);
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
