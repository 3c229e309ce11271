import { fullMetric, fullRollout, type Manifest } from './manifests.ts';

export interface WrongSpec {
  readonly name: string;
  /** Of the field that is wrong, as the API server writes it. */
  readonly path: string;
  readonly object: Manifest;
}

type Case = readonly [name: string, path: string, change: (spec: Manifest) => void];

const rolloutCases: readonly Case[] = [
  ['no workload', 'spec.workload', (spec) => delete spec.workload],
  ['no name of the workload', 'spec.workload.name', (spec) => delete spec.workload.name],
  ['a workload name in capitals', 'spec.workload.name', (spec) => (spec.workload.name = 'Catalog')],
  ['a workload of another kind', 'spec.workload.kind', (spec) => (spec.workload.kind = 'StatefulSet')],
  ['an unknown gate', 'spec.workload.gate', (spec) => (spec.workload.gate = 'AlwaysPaused')],
  ['no service', 'spec.traffic.service', (spec) => delete spec.traffic.service],
  [
    'a service whose helpers would have no valid names',
    'spec.traffic.service',
    (spec) => (spec.traffic.service = 'a'.repeat(57)),
  ],
  ['no router', 'spec.traffic.router', (spec) => delete spec.traffic.router],
  ['an unknown router', 'spec.traffic.router.istio', (spec) => (spec.traffic.router.istio = {})],
  [
    'no routes',
    'spec.traffic.router.gatewayAPI.httpRoutes',
    (spec) => (spec.traffic.router.gatewayAPI.httpRoutes = []),
  ],
  [
    'a route twice',
    'spec.traffic.router.gatewayAPI.httpRoutes[1]',
    (spec) => (spec.traffic.router.gatewayAPI.httpRoutes = [{ name: 'a' }, { name: 'a' }]),
  ],
  ['a drain without unit', 'spec.traffic.drain', (spec) => (spec.traffic.drain = '30')],
  ['no steps', 'spec.steps', (spec) => delete spec.steps],
  ['an empty list of steps', 'spec.steps', (spec) => (spec.steps = [])],
  ['51 steps', 'spec.steps', (spec) => (spec.steps = Array.from({ length: 51 }, () => ({ weight: 1 })))],
  ['a step without kind', 'spec.steps[2]', (spec) => delete spec.steps[2].weight],
  ['a step of two kinds', 'spec.steps[2]', (spec) => (spec.steps[2].shadow = { percent: 1 })],
  ['an approve step with a hold', 'spec.steps[3].hold', (spec) => (spec.steps[3].hold = '1m')],
  ['a weight above 100', 'spec.steps[4].weight', (spec) => (spec.steps[4].weight = 101)],
  ['a weight below 0', 'spec.steps[2].weight', (spec) => (spec.steps[2].weight = -1)],
  ['a weight with three decimals', 'spec.steps[2].weight', (spec) => (spec.steps[2].weight = 33.333)],
  ['a weight as text', 'spec.steps[2].weight', (spec) => (spec.steps[2].weight = '5%')],
  ['weights that go down', 'spec.steps', (spec) => (spec.steps[4].weight = 4)],
  ['a hold in words', 'spec.steps[0].hold', (spec) => (spec.steps[0].hold = 'two minutes')],
  ['a hold that is a number', 'spec.steps[0].hold', (spec) => (spec.steps[0].hold = 120)],
  ['a field of a step that nobody knows', 'spec.steps[0].wait', (spec) => (spec.steps[0].wait = '2m')],
  ['a shadow without percent', 'spec.steps[0].shadow.percent', (spec) => delete spec.steps[0].shadow.percent],
  ['a method twice', 'spec.steps[0].shadow.methods[1]', (spec) => (spec.steps[0].shadow.methods = ['GET', 'GET'])],
  [
    'a method that HTTP does not know',
    'spec.steps[0].shadow.methods[0]',
    (spec) => (spec.steps[0].shadow.methods = ['FETCH']),
  ],
  ['a match without headers', 'spec.steps[1].match.headers', (spec) => (spec.steps[1].match.headers = [])],
  [
    'a header name with a space',
    'spec.steps[1].match.headers[0].name',
    (spec) => (spec.steps[1].match.headers[0].name = 'x team'),
  ],
  ['21 guardrails', 'spec.guardrails', (spec) => (spec.guardrails = manyGuardrails(21))],
  ['a guardrail name twice', 'spec.guardrails[1]', (spec) => (spec.guardrails[1].name = 'errors')],
  ['a guardrail without name', 'spec.guardrails[0].name', (spec) => delete spec.guardrails[0].name],
  ['a guardrail with metric and query', 'spec.guardrails[1]', (spec) => (spec.guardrails[1].metric = 'm')],
  ['a guardrail without metric and query', 'spec.guardrails[0]', (spec) => delete spec.guardrails[0].metric],
  [
    'an inline query without bounds',
    'spec.guardrails[1]',
    (spec) => (spec.guardrails[1] = { name: 'latency', query: { query: 'vector(1)' } }),
  ],
  ['bounds that nothing meets', 'spec.guardrails[1].min', (spec) => (spec.guardrails[1].min = 1)],
  [
    'an increase that says nothing',
    'spec.guardrails[0].maxIncreaseOverStable',
    (spec) => (spec.guardrails[0].maxIncreaseOverStable = {}),
  ],
  [
    'more failures than samples',
    'spec.guardrails[0].failures.count',
    (spec) => (spec.guardrails[0].failures.count = 4),
  ],
  ['half a failure', 'spec.guardrails[0].failures.count', (spec) => (spec.guardrails[0].failures.count = 1.5)],
  ['an interval below one second', 'spec.guardrails[0].interval', (spec) => (spec.guardrails[0].interval = '999ms')],
  ['an interval of zero days', 'spec.guardrails[0].interval', (spec) => (spec.guardrails[0].interval = '0d')],
  ['a window of zero', 'spec.guardrails[0].window', (spec) => (spec.guardrails[0].window = '0s')],
  [
    'a provider outage that proceeds',
    'spec.guardrails[0].providerDown.action',
    (spec) => (spec.guardrails[0].providerDown = { action: 'Proceed' }),
  ],
  ['a query without text', 'spec.guardrails[1].query.query', (spec) => (spec.guardrails[1].query.query = '')],
  [
    'a query that takes no time',
    'spec.guardrails[1].query.timeout',
    (spec) => (spec.guardrails[1].query.timeout = '0s'),
  ],
  ['an unknown mode', 'spec.mode', (spec) => (spec.mode = 'Watch')],
  ['paused as text', 'spec.paused', (spec) => (spec.paused = 'yes')],
  ['a canary that has no time to start', 'spec.progressDeadline', (spec) => (spec.progressDeadline = '0s')],
  ['an unknown onDelete', 'spec.onDelete', (spec) => (spec.onDelete = 'Delete')],
  ['a field of spec that nobody knows', 'spec.strategy', (spec) => (spec.strategy = {})],
];

const metricCases: readonly Case[] = [
  ['no provider', 'spec.provider', (spec) => delete spec.provider],
  ['an unknown provider', 'spec.provider.datadog', (spec) => (spec.provider.datadog = {})],
  ['no query', 'spec.provider.prometheus.query', (spec) => delete spec.provider.prometheus.query],
  [
    'an address of another protocol',
    'spec.provider.prometheus.address',
    (spec) => (spec.provider.prometheus.address = 'file:///etc/passwd'),
  ],
  [
    'an address with a password',
    'spec.provider.prometheus.address',
    (spec) => (spec.provider.prometheus.address = 'https://user:secret@prometheus:9090'),
  ],
  [
    'an address with a query',
    'spec.provider.prometheus.address',
    (spec) => (spec.provider.prometheus.address = 'https://prometheus:9090/?dedup=true'),
  ],
  [
    'two kinds of credentials',
    'spec.provider.prometheus.auth',
    (spec) => {
      const key = { name: 'login', key: 'user' };
      spec.provider.prometheus.auth.basic = { username: key, password: key };
    },
  ],
  ['no kind of credentials', 'spec.provider.prometheus.auth', (spec) => (spec.provider.prometheus.auth = {})],
  ['a certificate without its key', 'spec.provider.prometheus.tls', (spec) => delete spec.provider.prometheus.tls.key],
  ['an unknown direction', 'spec.direction', (spec) => (spec.direction = 'Lower')],
  ['default bounds that nothing meets', 'spec.defaultBounds.min', (spec) => (spec.defaultBounds.min = 1)],
  [
    'a negative increase',
    'spec.defaultBounds.maxIncreaseOverStable.relative',
    (spec) => {
      spec.defaultBounds.maxIncreaseOverStable.relative = -0.1;
    },
  ],
];

/** Specs that both the API server and `parseRollout` or `parseMetric` must refuse, naming the field. */
export const wrongSpecs: readonly WrongSpec[] = [
  ...rolloutCases.map((one) => wrong(fullRollout(), one)),
  ...metricCases.map((one) => wrong(fullMetric(), one)),
  {
    name: 'Rollout: a name that is too long for a label',
    path: 'metadata',
    object: { ...fullRollout(), metadata: { name: 'a'.repeat(64) } },
  },
  {
    name: 'Metric: a name that no guardrail can say',
    path: 'metadata',
    object: { ...fullMetric(), metadata: { name: 'http.errors' } },
  },
];

function wrong(object: Manifest, [name, path, change]: Case): WrongSpec {
  change(object.spec);
  return { name: `${object.kind}: ${name}`, path, object };
}

function manyGuardrails(count: number): Manifest[] {
  return Array.from({ length: count }, (_, index) => ({ name: `g${index}`, metric: 'm' }));
}
