import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, boolean, explicit, implicit, integer, objectId, octets, sequence, setOf, time, utf8 } from './der.ts';

/** A serving certificate and the authority that its clients trust, all PEM. */
export interface ServingCertificate {
  readonly ca: string;
  readonly cert: string;
  /** Secret. */
  readonly key: string;
}

export interface CertificateOptions {
  /** DNS names and IP addresses under which the server is called; the first is also the subject's name. */
  readonly hosts: readonly [string, ...string[]];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Issues a serving certificate (ECDSA P-256, X.509 v3 as of RFC 5280) under a new authority of its own. The authority's key
 * is forgotten on return, so what it vouches for is this one certificate for ever.
 */
export function issueServingCertificate({ hosts, notBefore, notAfter }: CertificateOptions): ServingCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Two authorities are trusted while one replaces the other: their names must differ.
  const authorityName = `webhook-ca-${randomBytes(8).toString('hex')}`;
  const validity = { notBefore, notAfter, issuer: authorityName, issuerKey: authority };
  const ca = certificate({
    ...validity,
    subject: authorityName,
    publicKey: authority.publicKey,
    extensions: [basicConstraints(true), keyUsage(0b0000_0110, 1)], // keyCertSign, cRLSign
  });
  const cert = certificate({
    ...validity,
    subject: hosts[0].slice(0, 64), // RFC 5280's upper bound of a common name; clients look at the alternative names only
    publicKey: server.publicKey,
    extensions: [basicConstraints(false), keyUsage(0b1000_0000, 7), serverAuth(), alternativeNames(hosts)],
  });
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

interface Contents {
  readonly subject: string;
  readonly issuer: string;
  readonly issuerKey: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

function certificate(contents: Contents): string {
  const { subject, issuer, issuerKey, publicKey, notBefore, notAfter } = contents;
  const serial = randomBytes(16);
  const extensions = [...contents.extensions, subjectKeyId(publicKey), authorityKeyId(issuerKey.publicKey)];
  const tbs = sequence(
    explicit(0, integer(Buffer.from([2]))), // v3
    integer(serial),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(notBefore), time(notAfter)),
    name(subject),
    spki(publicKey),
    explicit(3, sequence(...extensions)),
  );
  const signature = sign('sha256', tbs, issuerKey.privateKey);
  const der = sequence(tbs, ecdsaWithSha256, bits(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const name = (commonName: string): Buffer => sequence(setOf(sequence(objectId('2.5.4.3'), utf8(commonName))));

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value));

const basicConstraints = (ca: boolean): Buffer =>
  extension('2.5.29.19', true, ca ? sequence(boolean(true)) : sequence());

const keyUsage = (flags: number, unusedBits: number): Buffer =>
  extension('2.5.29.15', true, bits(Buffer.from([flags]), unusedBits));

const serverAuth = (): Buffer => extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1')));

/** RFC 7093 method 1: the leftmost 160 bits of the SHA-256 of the public key's bits. */
const keyId = (key: KeyObject): Buffer => {
  const point = spki(key).subarray(-65); // an uncompressed P-256 point is the end of the structure
  return createHash('sha256').update(point).digest().subarray(0, 20);
};

const subjectKeyId = (key: KeyObject): Buffer => extension('2.5.29.14', false, octets(keyId(key)));

const authorityKeyId = (key: KeyObject): Buffer => extension('2.5.29.35', false, sequence(implicit(0, keyId(key))));

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) ? implicit(7, ipBytes(host)) : implicit(2, Buffer.from(host, 'ascii')),
  );
  return extension('2.5.29.17', false, sequence(...names));
}

/** The 4 or 16 bytes of an address; the URL parser writes IPv6 in its shortest form, with one `::` at most. */
function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
