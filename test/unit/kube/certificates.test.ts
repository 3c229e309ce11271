import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { after, type DurationMs, type EpochMs } from '../../../src/base/units.ts';
import {
  afterSwitch,
  bundleOf,
  type CertificateState,
  nextRotationStep,
  readState,
  writeState,
} from '../../../src/kube/certificate-rotation.ts';
import { issueServingCertificate } from '../../../src/kube/certificates.ts';
import { integer, objectId, octets, time } from '../../../src/kube/der.ts';

const now = Date.parse('2026-01-01T00:00:00Z') as EpochMs;
const day = 86_400_000;
const rules = { hosts: ['hook.ns.svc'] as const, lifetimeMs: (90 * day) as DurationMs, settleMs: 60_000 as DurationMs };
const issue = (from: number = now, hosts: [string, ...string[]] = ['hook.ns.svc']) =>
  issueServingCertificate({ hosts, notBefore: new Date(from), notAfter: new Date(from + 90 * day) });

test('a certificate names its hosts, is signed by its authority, and lasts as long as asked', () => {
  const hosts = ['hook.ns.svc', 'hook.ns.svc.cluster.local', '127.0.0.1', '2001:db8::1', '::ffff:1'] as const;
  const { ca, cert } = issueServingCertificate({
    hosts: [...hosts],
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2051-01-01T00:00:00Z'),
  });
  const [leaf, authority] = [new X509Certificate(cert), new X509Certificate(ca)];
  expect(leaf.checkHost('hook.ns.svc.cluster.local')).toBeDefined();
  expect(leaf.checkHost('other.ns.svc')).toBeUndefined();
  for (const address of hosts.slice(2)) expect(leaf.checkIP(address)).toBe(address);
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect([leaf.ca, authority.ca]).toEqual([false, true]);
  expect(new Date(leaf.validTo).toISOString()).toBe('2051-01-01T00:00:00.000Z');
  expect(new Date(leaf.validFrom).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  expect(leaf.serialNumber).not.toBe(authority.serialNumber);
  expect(ca).not.toContain('PRIVATE');
});

test('a TLS client accepts it under its own authority and under no other', async () => {
  const fresh = () => issue(Date.now(), ['localhost']);
  const [mine, other] = [fresh(), fresh()];
  const server = createServer({ cert: mine.cert, key: mine.key });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const tryWith = (ca: string) =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => resolve('accepted'));
      socket.on('error', resolve);
      socket.on('secureConnect', () => socket.destroy());
    });
  expect(await tryWith(mine.ca)).toBe('accepted');
  expect(await tryWith(other.ca + mine.ca)).toBe('accepted');
  expect(await tryWith(other.ca)).toBeInstanceOf(Error);
  server.close();
});

test('DER: integers are shortest and never negative, lengths beyond 127 take their own bytes', () => {
  expect(integer(Buffer.from([0, 0, 1]))).toEqual(Buffer.from([2, 1, 1]));
  expect(integer(Buffer.from([0x80]))).toEqual(Buffer.from([2, 2, 0, 0x80]));
  expect(integer(Buffer.from([0, 0]))).toEqual(Buffer.from([2, 1, 0]));
  expect(objectId('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
  expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1', 2)).toBe('491231235959Z');
  expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1', 2)).toBe('20500101000000Z');
  fc.assert(
    fc.property(fc.nat(70_000), (bytes) => {
      const encoded = octets(Buffer.alloc(bytes));
      const long = encoded[1]! & 0x80;
      const digits = long ? encoded[1]! & 0x7f : 0;
      const length = long ? encoded.readUIntBE(2, digits) : encoded[1]!;
      expect([length, encoded.length]).toEqual([bytes, bytes + 2 + digits]);
    }),
  );
});

test('a rotation goes through its steps, each only after the bundle was in place for the settle time', () => {
  const step = (state: CertificateState | undefined, settledSince: EpochMs | undefined, at: EpochMs) =>
    nextRotationStep(state, settledSince, rules, at);
  expect(step(undefined, undefined, now)).toEqual({ do: 'issue' });
  const calm: CertificateState = { current: issue() };
  const due = (now + 60 * day) as EpochMs;
  expect(step(calm, now, now)).toEqual({ do: 'wait', until: due });
  expect(step(calm, now, due)).toEqual({ do: 'prepare' });
  const prepared = { ...calm, next: issue(due) };
  expect(step(prepared, undefined, due)).toEqual({ do: 'wait', until: after(due, rules.settleMs) });
  expect(step(prepared, due, due)).toEqual({ do: 'wait', until: after(due, rules.settleMs) });
  expect(step(prepared, due, after(due, rules.settleMs))).toEqual({ do: 'switch' });
  const switched = afterSwitch(prepared);
  expect(switched).toEqual({ current: prepared.next, previousCa: calm.current.ca });
  expect(step(switched, undefined, due).do).toBe('wait');
  expect(step(switched, due, after(due, rules.settleMs))).toEqual({ do: 'forget' });
  // What is served is trusted, before, at and after the switch.
  for (const state of [prepared, switched]) {
    expect(bundleOf(state)).toContain(calm.current.ca);
    expect(bundleOf(state)).toContain(prepared.next.ca);
  }
});

test('an expired or foreign certificate is issued anew; one for other hosts is rotated without a gap', () => {
  const old = { current: issue(now - 91 * day) };
  expect(nextRotationStep(old, now, rules, now)).toEqual({ do: 'issue' });
  const mixed = { current: { ...issue(), ca: issue().ca } };
  expect(nextRotationStep(mixed, now, rules, now)).toEqual({ do: 'issue' });
  for (const key of [issue().key, 'rubbish'])
    expect(nextRotationStep({ current: { ...issue(), key } }, now, rules, now)).toEqual({ do: 'issue' });
  const elsewhere = { current: issue(now, ['other.ns.svc']) };
  expect(nextRotationStep(elsewhere, now, rules, now)).toEqual({ do: 'prepare' });
});

test('the Secret holds the whole state, and rubbish in it is not believed', () => {
  const state = { current: issue(), next: issue(), previousCa: issue().ca };
  const secret = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data,
  });
  expect(readState(secret(writeState(state)))).toEqual(state);
  expect(readState(secret({ ...writeState(state), 'previous-ca.crt': 'AAAA' }))?.previousCa).toBeUndefined();
  expect(readState(secret({ ...writeState(state), 'tls.crt': 'AAAA' }))).toBeUndefined();
  expect(readState(secret({}))).toBeUndefined();
});
