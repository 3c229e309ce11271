import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { createPrometheusProvider } from '../../../src/providers/prometheus.ts';
import type { PrometheusTls } from '../../../src/providers/prometheus-options.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { json, startHttp, startTcp, vectorOf } from '../../support/hostile-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const authority = makeCertificate({ name: 'test authority' });
const stranger = makeCertificate({ name: 'other authority' });
const serverCertificate = makeCertificate({ name: 'server', hosts: ['prometheus.test'], issuer: authority });
const clientCertificate = makeCertificate({ name: 'client', hosts: ['sluice.test'], issuer: authority });
const foreignClient = makeCertificate({ name: 'client', hosts: ['sluice.test'], issuer: stranger });
const token = { kind: 'Bearer', token: new Secret('hush-hush') } as const;

/** Asks a TLS server on loopback; answers what came of it and how many requests reached the server. */
async function ask(tls: PrometheusTls, server: Parameters<typeof startHttp>[1] = serverCertificate) {
  const hostile = await startHttp((response) => json(response, 200, vectorOf('0.5')), server);
  const provider = createPrometheusProvider(
    { address: hostile.url, auth: token, tls },
    { clock: systemClock, maxConnections: 1 },
  );
  cleanups.push(provider.close, hostile.close);
  const request = { text: 'up', at: 1000 as EpochMs, timeoutMs: 20_000 as DurationMs, owner: 'a/b' };
  const answer = await provider.query(request, new AbortController().signal);
  return { answer, reached: hostile.requests.length };
}

const tlsFailure = (code: string) => ({
  answer: { kind: 'ProviderDown', cause: 'Tls', message: `TLS failed (${code})` },
  reached: 0,
});

describe('a TLS server', () => {
  test('with the right authority and name is asked', async () => {
    const seen = await ask({ ca: authority.cert, serverName: 'prometheus.test' });
    expect(seen).toMatchObject({ answer: { kind: 'Value', value: 0.5 }, reached: 1 });
  });

  test('of an unknown authority gets no credential', async () => {
    expect(await ask({ ca: stranger.cert, serverName: 'prometheus.test' })).toEqual(
      tlsFailure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    );
  });

  test('of no public authority is refused without a CA of ours', async () => {
    expect(await ask({ serverName: 'prometheus.test' })).toEqual(tlsFailure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  });

  test('with another name gets no credential', async () => {
    expect(await ask({ ca: authority.cert, serverName: 'other.test' })).toEqual(
      tlsFailure('ERR_TLS_CERT_ALTNAME_INVALID'),
    );
  });

  test('asked by its address, which its certificate does not name, gets no credential', async () => {
    expect(await ask({ ca: authority.cert })).toEqual(tlsFailure('ERR_TLS_CERT_ALTNAME_INVALID'));
  });

  test('with an expired certificate gets no credential', async () => {
    const expired = makeCertificate({
      name: 'server',
      hosts: ['prometheus.test'],
      issuer: authority,
      validFrom: new Date('2020-01-01'),
      validTo: new Date('2020-01-02'),
    });
    expect(await ask({ ca: authority.cert, serverName: 'prometheus.test' }, expired)).toEqual(
      tlsFailure('CERT_HAS_EXPIRED'),
    );
  });

  test('of any kind is asked when verification is switched off on purpose', async () => {
    expect(await ask({ insecureSkipVerify: true })).toMatchObject({ answer: { kind: 'Value' }, reached: 1 });
  });
});

describe('a server that wants a client certificate', () => {
  const mutual = { ...serverCertificate, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const trusted = { ca: authority.cert, serverName: 'prometheus.test' };

  test('is asked with it', async () => {
    const tls = { ...trusted, cert: clientCertificate.cert, key: new Secret(clientCertificate.key) };
    expect(await ask(tls, mutual)).toMatchObject({ answer: { kind: 'Value' }, reached: 1 });
  });

  test.each([
    ['without one', {}],
    ['with one of another authority', { cert: foreignClient.cert, key: new Secret(foreignClient.key) }],
  ])('gets no request %s', async (_, client) => {
    const refused = { kind: 'ProviderDown', cause: 'Reset', message: expect.stringContaining('client certificate') };
    const seen = await ask({ ...trusted, ...client }, mutual);
    expect(seen).toMatchObject({ answer: refused, reached: 0 });
  });
});

test('a plain HTTP server at an https address is a TLS failure', async () => {
  const plain = await startTcp((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  cleanups.push(plain.close);
  const provider = createPrometheusProvider(
    { address: `https://127.0.0.1:${plain.port}` },
    { clock: systemClock, maxConnections: 1 },
  );
  cleanups.push(provider.close);
  const request = { text: 'up', at: 1000 as EpochMs, timeoutMs: 20_000 as DurationMs, owner: 'a/b' };
  expect(await provider.query(request, new AbortController().signal)).toMatchObject({ cause: 'Tls' });
});
