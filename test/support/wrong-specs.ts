import { fullFlag, fullMetric, fullRollout, type Manifest } from './manifests.ts';

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

const firstWhen = (spec: Manifest) => spec.rules[0].when;
const ramp = (spec: Manifest) => spec.rules[1].serve;

const flagCases: readonly Case[] = [
  ['a key of a Rollout', 'spec.key', (spec) => (spec.key = 'rollout/shop/catalog')],
  ['a key of two lines', 'spec.key', (spec) => (spec.key = 'one\npage')],
  ['an unknown purpose', 'spec.purpose', (spec) => (spec.purpose = 'Fun')],
  ['a day that does not exist', 'spec.expiresAfter', (spec) => (spec.expiresAfter = '2027-02-30')],
  ['no type', 'spec.type', (spec) => delete spec.type],
  ['an unknown type', 'spec.type', (spec) => (spec.type = 'int')],
  ['no variants', 'spec.variants', (spec) => delete spec.variants],
  ['an empty map of variants', 'spec.variants', (spec) => (spec.variants = {})],
  ['variants as a list', 'spec.variants', (spec) => (spec.variants = [true, false])],
  ['no offVariant', 'spec.offVariant', (spec) => delete spec.offVariant],
  ['an offVariant that YAML took for a boolean', 'spec.offVariant', (spec) => (spec.offVariant = false)],
  ['no defaultVariant', 'spec.defaultVariant', (spec) => delete spec.defaultVariant],
  ['enabled as text', 'spec.enabled', (spec) => (spec.enabled = 'yes')],
  ['a kill switch as a number', 'spec.killSwitch', (spec) => (spec.killSwitch = 1)],
  ['an empty salt', 'spec.salt', (spec) => (spec.salt = '')],
  ['an override for nobody', 'spec.overrides[0].units', (spec) => (spec.overrides[0].units = [])],
  [
    'an override that names a unit twice',
    'spec.overrides[0].units[1]',
    (spec) => (spec.overrides[0].units = ['a', 'a']),
  ],
  ['an override without variant', 'spec.overrides[0].variant', (spec) => delete spec.overrides[0].variant],
  [
    'a prerequisite without variants',
    'spec.prerequisites[0].variants',
    (spec) => delete spec.prerequisites[0].variants,
  ],
  ['a prerequisite twice', 'spec.prerequisites[1]', (spec) => spec.prerequisites.push(spec.prerequisites[0])],
  ['a segment that says nothing', 'spec.segments.staff', (spec) => (spec.segments.staff = {})],
  ['a rule without id', 'spec.rules[0].id', (spec) => delete spec.rules[0].id],
  ['a rule id twice', 'spec.rules[1]', (spec) => (spec.rules[1].id = 'staff')],
  ['a rule that serves nothing', 'spec.rules[0].serve', (spec) => delete spec.rules[0].serve],
  ['a rule with an empty serve', 'spec.rules[0].serve', (spec) => (spec.rules[0].serve = {})],
  [
    '51 rules',
    'spec.rules',
    (spec) => (spec.rules = Array.from({ length: 51 }, (_, n) => ({ ...spec.rules[0], id: `r${n}` }))),
  ],
  ['a variant and a split', 'spec.rules[1].serve', (spec) => (ramp(spec).variant = 'on')],
  ['a split of nothing', 'spec.rules[1].serve.split', (spec) => (ramp(spec).split = [])],
  [
    'a split in which all weights are 0',
    'spec.rules[1].serve.split',
    (spec) => (ramp(spec).split = [{ variant: 'on', weight: 0 }]),
  ],
  ['a negative weight', 'spec.rules[1].serve.split[0].weight', (spec) => (ramp(spec).split[0].weight = -1)],
  [
    'a weight with three decimals',
    'spec.rules[1].serve.split[0].weight',
    (spec) => (ramp(spec).split[0].weight = 0.001),
  ],
  ['a variant twice in a split', 'spec.rules[1].serve.split[1]', (spec) => (ramp(spec).split[1].variant = 'on')],
  ['an admission of nothing', 'spec.rules[1].admissions[0]', (spec) => (spec.rules[1].admissions = [{}])],
  [
    'an admission of more than all',
    'spec.rules[1].admissions[0].percent',
    (spec) => (spec.rules[1].admissions = [{ percent: 101 }]),
  ],
  [
    'a range that ends before it begins',
    'spec.rules[1].admissions[0].ranges[0].to',
    (spec) => (spec.rules[1].admissions = [{ ranges: [{ from: 10, to: 5 }] }]),
  ],
  ['an unknown hash', 'spec.rules[1].serve.hash', (spec) => (ramp(spec).hash = 'md5/1')],
  ['a unit for a fixed variant', 'spec.rules[0].serve.unit', (spec) => (spec.rules[0].serve.unit = 'account')],
  ['a condition that says nothing', 'spec.rules[0].when', (spec) => (spec.rules[0].when = {})],
  ['a condition that says two things', 'spec.rules[0].when', (spec) => (firstWhen(spec).segment = 'staff')],
  ['an attribute without operator', 'spec.rules[0].when.all[0]', (spec) => (firstWhen(spec).all[0] = { attr: 'a' })],
  [
    'an operator that nobody knows',
    'spec.rules[0].when.all[0].op',
    (spec) => (firstWhen(spec).all[0] = { attr: 'a', op: 'like', value: 'x' }),
  ],
  [
    'a case option without attribute',
    'spec.rules[0].when.all[0].ignoreCase',
    (spec) => (firstWhen(spec).all[0].ignoreCase = true),
  ],
  ['a time without bounds', 'spec.rules[2].when.all[0].time', (spec) => (spec.rules[2].when.all[0].time = {})],
  [
    'a time in words',
    'spec.rules[2].when.all[0].time.after',
    (spec) => (spec.rules[2].when.all[0].time.after = 'tomorrow'),
  ],
  ['a field that nobody knows', 'spec.rollout', (spec) => (spec.rollout = {})],
];

/** Specs that only our parser refuses: the API server does not look there (docs/decisions/0150). */
export const wrongBeyondTheSchema: readonly WrongSpec[] = (
  [
    ['a variant of another type', 'spec.variants.on', (spec) => (spec.variants.on = 'yes')],
    ['a variant that is null', 'spec.variants.on', (spec) => (spec.variants.on = null)],
    [
      'a list where an object is due',
      'spec.variants.on',
      (spec) => Object.assign(spec, { type: 'object', variants: { on: [], off: {} } }),
    ],
    [
      'a variant named like a property of objects',
      'spec.variants.constructor',
      (spec) => (spec.variants.constructor = true),
    ],
    ['a variant without a name', 'spec.variants.', (spec) => (spec.variants[''] = true)],
    ['a value of a thousand levels', 'spec.variants.on', (spec) => (spec.variants.on = nested(1000))],
    ['an offVariant that does not exist', 'spec.offVariant', (spec) => (spec.offVariant = 'of')],
    ['a defaultVariant that does not exist', 'spec.defaultVariant', (spec) => (spec.defaultVariant = 'toString')],
    [
      'an override with a variant that does not exist',
      'spec.overrides[0].variant',
      (spec) => (spec.overrides[0].variant = 'x'),
    ],
    [
      'a rule with a variant that does not exist',
      'spec.rules[0].serve.variant',
      (spec) => (spec.rules[0].serve.variant = 'x'),
    ],
    [
      'a split with a variant that does not exist',
      'spec.rules[1].serve.split[0].variant',
      (spec) => (ramp(spec).split[0].variant = 'x'),
    ],
    [
      'a segment that does not exist',
      'spec.rules[0].when.all[0].segment',
      (spec) => (firstWhen(spec).all[0].segment = 'stuff'),
    ],
    [
      'a segment that refers to itself',
      'spec.segments.staff',
      (spec) => (spec.segments.staff = { not: { segment: 'staff' } }),
    ],
    [
      'a comparison without value',
      'spec.rules[0].when.all[0].value',
      (spec) => (firstWhen(spec).all[0] = { attr: 'a', op: 'eq' }),
    ],
    [
      'a value for exists',
      'spec.rules[0].when.all[0].value',
      (spec) => (firstWhen(spec).all[0] = { attr: 'a', op: 'exists', value: true }),
    ],
    [
      'a value that is an object',
      'spec.rules[0].when.all[0].value',
      (spec) => (firstWhen(spec).all[0] = { attr: 'a', op: 'eq', value: {} }),
    ],
    [
      'a mistake deep in a condition',
      'spec.rules[0].when.all[0].any[0].not.op',
      (spec) => (firstWhen(spec).all[0] = { any: [{ not: { attr: 'a', op: 'like', value: 1 } }] }),
    ],
    [
      'a condition of a thousand levels',
      'spec.rules[0].when.all[0].not',
      (spec) => (firstWhen(spec).all[0] = { not: nested(1000) }),
    ],
  ] satisfies Case[]
).map((one) => wrong(fullFlag(), one));

/** Specs that both the API server and `parseRollout`, `parseMetric` or `parseFeatureFlag` must refuse, naming the field. */
export const wrongSpecs: readonly WrongSpec[] = [
  ...rolloutCases.map((one) => wrong(fullRollout(), one)),
  ...metricCases.map((one) => wrong(fullMetric(), one)),
  ...flagCases.map((one) => wrong(fullFlag(), one)),
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

function nested(levels: number): Manifest {
  let value: Manifest = {};
  for (let i = 0; i < levels; i++) value = { not: value };
  return value;
}
