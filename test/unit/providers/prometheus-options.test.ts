import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type PrometheusOptions, readOptions } from '../../../src/providers/prometheus-options.ts';
import { makeCertificate } from '../../support/certificates.ts';

const address = 'https://prometheus.monitoring.svc:9090';
const authority = makeCertificate({ name: 'authority' });
const client = makeCertificate({ name: 'client', hosts: ['a'], issuer: authority });
const other = makeCertificate({ name: 'other', hosts: ['a'], issuer: authority });

test.each([
  ['https://metrics.example', 'https://metrics.example', '/api/v1/query'],
  ['https://metrics.example:9090/', 'https://metrics.example:9090', '/api/v1/query'],
  ['http://metrics.example/a/b//', 'http://metrics.example', '/a/b/api/v1/query'],
])('%s is asked at its origin, below its path', (given, origin, path) => {
  expect(readOptions({ address: given })).toMatchObject({ origin, path });
});

test('the line end of a Secret is no part of it', () => {
  const { headers } = readOptions({
    address,
    auth: { kind: 'Bearer', token: new Secret('abc.def\r\n') },
    headers: { 'x-scope-orgid': new Secret('tenant\n') },
  });
  expect(headers).toEqual({ authorization: 'Bearer abc.def', 'x-scope-orgid': 'tenant' });
});

test('every form of a credential is known as a secret', () => {
  const { secrets } = readOptions({
    address,
    auth: { kind: 'Basic', username: new Secret('me\n'), password: new Secret('sesame') },
    headers: { 'x-key': new Secret('key-value') },
  });
  expect(secrets).toEqual(expect.arrayContaining(['sesame', Buffer.from('me:sesame').toString('base64'), 'key-value']));
});

describe('options that cannot work are refused', () => {
  const refused: [string, Omit<PrometheusOptions, 'address'> & { address?: string }, string][] = [
    ['an address that is no URL', { address: 'prometheus:9090' }, 'ADDRESS'],
    ['an address that is no HTTP', { address: 'file:///etc/passwd' }, 'ADDRESS'],
    ['an address with a password', { address: 'https://me:hush@metrics.example' }, 'ADDRESS'],
    ['an address with a query', { address: 'https://metrics.example?token=hush' }, 'ADDRESS'],
    ['an empty token', { auth: { kind: 'Bearer', token: new Secret('\n') } }, 'CREDENTIALS'],
    ['a token that ends the header', { auth: { kind: 'Bearer', token: new Secret('hush\r\nhost: x') } }, 'CREDENTIALS'],
    [
      'a user name with a colon',
      { auth: { kind: 'Basic', username: new Secret('a:b'), password: new Secret('hush') } },
      'CREDENTIALS',
    ],
    ['a header value that ends the header', { headers: { 'x-a': new Secret('hush\r\nx-b: c') } }, 'CREDENTIALS'],
    ['a header name that is none', { headers: { 'x a': new Secret('hush') } }, 'CREDENTIALS'],
    ['a header that frames the request', { headers: { 'Content-Length': new Secret('9') } }, 'CREDENTIALS'],
    ['a second way to authorise', { headers: { authorization: new Secret('hush') } }, 'CREDENTIALS'],
    ['TLS for an http address', { address: 'http://metrics.example', tls: { serverName: 'x' } }, 'TLS'],
    ['a CA that is no PEM', { tls: { ca: 'hush' } }, 'TLS'],
    ['a certificate without key', { tls: { cert: client.cert } }, 'TLS'],
    ['a key of another certificate', { tls: { cert: client.cert, key: new Secret(other.key) } }, 'TLS'],
    ['a key that is no PEM', { tls: { cert: client.cert, key: new Secret('hush') } }, 'TLS'],
  ];

  test.each(refused)('%s', (_, options, what) => {
    const error = catchError(() => readOptions({ address, ...options }));
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).toMatchObject({ code: `SLUICE_PROVIDER_${what}_INVALID`, retry: 'never' });
    expect(String(error)).not.toContain('hush');
  });

  test('and what can work is not', () => {
    readOptions({ address, tls: { ca: authority.cert, cert: client.cert, key: new Secret(client.key) } });
  });
});

function catchError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
