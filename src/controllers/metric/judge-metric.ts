import type { ConditionClaim } from '../../api/condition.ts';
import type { MetricSpec, PrometheusQuery } from '../../api/metric.ts';
import { parseMetric } from '../../api/parse.ts';
import { parseTemplate } from '../../providers/template.ts';

/** A key of a Secret that a Metric names. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** What came of looking for one. */
export type SecretFound = 'Found' | 'Missing' | 'Denied';

type Claim = ConditionClaim & { readonly type: 'Accepted' };

/** Whether a Metric can be used, by its text alone: shape and templates. With the Secrets that then must be there. */
export function judgeText(object: unknown): { readonly claim: Claim; readonly secrets: readonly SecretKey[] } {
  const parsed = parseMetric(object);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    return { claim: refused(first?.code ?? 'SLUICE_FIELD_INVALID', `${first?.path} ${first?.message}`), secrets: [] };
  }
  const { prometheus } = parsed.metric.spec.provider;
  return { claim: badTemplate(prometheus) ?? accepted, secrets: secretsOf(parsed.metric.spec) };
}

const accepted: Claim = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };

const refused = (reason: string, message: string): Claim => ({ type: 'Accepted', status: 'False', reason, message });

function badTemplate({ query, requestsQuery }: PrometheusQuery): Claim | undefined {
  for (const [field, text] of Object.entries({ query, requestsQuery })) {
    const template = text === undefined ? undefined : parseTemplate(text);
    if (template?.kind !== 'Problems') continue;
    const [first] = template.problems;
    const where = `spec.provider.prometheus.${field} line ${first?.line}, column ${first?.column}`;
    return refused(first?.code ?? 'SLUICE_FIELD_INVALID', `${where}: ${first?.message}`);
  }
  return undefined;
}

function secretsOf({ provider: { prometheus } }: MetricSpec): SecretKey[] {
  const { auth, tls } = prometheus;
  const named = [auth?.bearerToken, auth?.basic?.username, auth?.basic?.password, tls?.ca, tls?.cert, tls?.key];
  return named.filter((one) => one !== undefined);
}

/** What one Secret that is not there makes of a Metric that is good otherwise; undefined where it is there. */
export function judgeSecret({ name, key }: SecretKey, found: SecretFound): Claim | undefined {
  if (found === 'Missing') return refused('SLUICE_SECRET_NOT_FOUND', `Secret ${name} with the key ${key} is not there`);
  if (found === 'Denied') return refused('SLUICE_SECRET_DENIED', `the operator may not read Secret ${name}`);
  return undefined;
}
