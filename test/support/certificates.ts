import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate and its private key, both PEM. For tests only: P-256, no revocation, no constraints but CA. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

interface Wanted {
  readonly name: string;
  /** DNS names; none for an authority. */
  readonly hosts?: readonly string[];
  readonly validFrom?: Date;
  readonly validTo?: Date;
  readonly issuer?: TestCertificate & { readonly name: string };
}

/** Makes a certificate, signed by `issuer` or, without one, by itself as an authority. X.509 v3, RFC 5280 section 4.1. */
export function makeCertificate(wanted: Wanted): TestCertificate & { name: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey: KeyObject | string = wanted.issuer?.key ?? privateKey;
  const day = 24 * 3600 * 1000;
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1, ...serial(wanted.name)])),
    algorithm,
    distinguishedName(wanted.issuer?.name ?? wanted.name),
    sequence(time(wanted.validFrom ?? new Date(Date.now() - day)), time(wanted.validTo ?? new Date(Date.now() + day))),
    distinguishedName(wanted.name),
    createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...(wanted.hosts ? [alternativeNames(wanted.hosts)] : [authority()]))),
  );
  const signature = sign('sha256', body, signingKey);
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    name: wanted.name,
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const time = (at: Date) => der(0x18, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, '')));
const distinguishedName = (name: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x04, value));
const alternativeNames = (hosts: readonly string[]) =>
  extension('551d11', sequence(...hosts.map((host) => der(0x82, Buffer.from(host)))));
const authority = () => extension('551d13', sequence(der(0x01, Buffer.from([0xff]))));

/** A serial number that differs between names of one issuer. */
function serial(name: string): number[] {
  return [...Buffer.from(name)].slice(0, 16).map((byte) => byte & 0x7f);
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
