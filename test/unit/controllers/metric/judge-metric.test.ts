import { expect, test } from 'vitest';
import { judgeSecret, judgeText } from '../../../../src/controllers/metric/judge-metric.ts';

const metric = (prometheus: object) => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Metric',
  metadata: { namespace: 'shop', name: 'errors' },
  spec: { provider: { prometheus } },
});
const secret = (name: string, key: string) => ({ name, key });

test('a Metric whose templates can be read is accepted', () => {
  const query = 'sum(rate(errors{pod=~"{{canaryHash}}.*"}[{{window}}]))';
  expect(judgeText(metric({ query, requestsQuery: 'sum(up)' }))).toEqual({
    claim: { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
    secrets: [],
  });
});

test.each(['query', 'requestsQuery'])(
  'a placeholder that may not stand there refuses it, and says where (%s)',
  (field) => {
    const { claim } = judgeText(metric({ query: 'up', [field]: 'up + {{nobody}}' }));
    expect(claim).toMatchObject({ status: 'False', reason: expect.stringMatching(/^SLUICE_QUERY_/) });
    expect(claim.message).toMatch(new RegExp(`^spec\\.provider\\.prometheus\\.${field} line 1, column \\d+: `));
  },
);

test('a shape that an older API server let through refuses it', () => {
  expect(judgeText(metric({ query: 7 })).claim).toMatchObject({
    status: 'False',
    reason: 'SLUICE_FIELD_INVALID',
    message: expect.stringContaining('spec.provider.prometheus.query'),
  });
});

test('every Secret that it names must be there', () => {
  const basic = { username: secret('who', 'user'), password: secret('who', 'password') };
  const tls = { ca: secret('ca', 'ca.crt'), cert: secret('own', 'tls.crt'), key: secret('own', 'tls.key') };
  const { secrets } = judgeText(metric({ query: 'up', auth: { basic }, tls }));
  expect(secrets).toEqual([basic.username, basic.password, tls.ca, tls.cert, tls.key]);
  expect(judgeSecret(tls.ca, 'Found')).toBeUndefined();
  expect(judgeSecret(tls.ca, 'Missing')).toMatchObject({ status: 'False', reason: 'SLUICE_SECRET_NOT_FOUND' });
  expect(judgeSecret(tls.ca, 'Denied')).toMatchObject({ status: 'False', reason: 'SLUICE_SECRET_DENIED' });
});
