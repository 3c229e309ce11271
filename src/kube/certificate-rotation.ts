import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { after, type DurationMs, type EpochMs } from '../base/units.ts';
import type { Secret } from './builtins.ts';
import type { ServingCertificate } from './certificates.ts';

/** What the shared Secret holds. `next` waits until every client trusts it; `previousCa` is trusted until nobody serves under it. */
export interface CertificateState {
  readonly current: ServingCertificate;
  readonly next?: ServingCertificate | undefined;
  readonly previousCa?: string | undefined;
}

export interface RotationRules {
  readonly hosts: readonly [string, ...string[]];
  /** A certificate is replaced when less than a third of this is left, or when it is not for `hosts`. */
  readonly lifetimeMs: DurationMs;
  /** How long API servers may take to see a new bundle, and replicas a new Secret. */
  readonly settleMs: DurationMs;
}

/** The next step, in the order in which they follow each other. */
export type RotationStep =
  /** There is no usable certificate: make one, at the cost of calls that fail until the bundle is out. */
  | { readonly do: 'issue' }
  /** Make the next certificate and have its authority trusted besides the current one. */
  | { readonly do: 'prepare' }
  /** Serve the next certificate. */
  | { readonly do: 'switch' }
  /** Trust the former authority no longer. */
  | { readonly do: 'forget' }
  | { readonly do: 'wait'; readonly until: EpochMs };

/** Authorities to trust, in PEM: all that any replica may serve under. */
export const bundleOf = ({ current, next, previousCa }: CertificateState): string =>
  [current.ca, next?.ca, previousCa].filter((ca) => ca !== undefined).join('');

/**
 * What to do now. `settledSince` is when this process first saw the bundle in place for exactly this state, or undefined
 * while it is not; a restarted process waits once more, which is safe.
 */
export function nextRotationStep(
  state: CertificateState | undefined,
  settledSince: EpochMs | undefined,
  { hosts, lifetimeMs, settleMs }: RotationRules,
  now: EpochMs,
): RotationStep {
  if (!state || !isUsable(state.current, now)) return { do: 'issue' };
  if (state.next || state.previousCa) {
    if (settledSince === undefined) return { do: 'wait', until: after(now, settleMs) };
    const settledAt = after(settledSince, settleMs);
    if (settledAt > now) return { do: 'wait', until: settledAt };
    return { do: state.next ? 'switch' : 'forget' };
  }
  const dueAt = (expiryOf(state.current) - lifetimeMs / 3) as EpochMs;
  return dueAt <= now || !isFor(state.current, hosts) ? { do: 'prepare' } : { do: 'wait', until: dueAt };
}

export const afterSwitch = ({ current, next }: CertificateState): CertificateState => ({
  current: next ?? current,
  previousCa: current.ca,
});

const expiryOf = ({ cert }: ServingCertificate): number => Date.parse(new X509Certificate(cert).validTo);

const isFor = ({ cert }: ServingCertificate, hosts: readonly string[]): boolean => {
  const parsed = new X509Certificate(cert);
  return hosts.every((host) => (isIP(host) ? parsed.checkIP(host) : parsed.checkHost(host)) !== undefined);
};

function isUsable({ cert, ca, key }: ServingCertificate, now: EpochMs): boolean {
  const parsed = new X509Certificate(cert);
  return Date.parse(parsed.validTo) > now && parsed.verify(new X509Certificate(ca).publicKey) && isKeyOf(parsed, key);
}

function isKeyOf(certificate: X509Certificate, pem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false; // as with isCertificate
  }
}

function isCertificate(pem: string | undefined): pem is string {
  try {
    return pem !== undefined && new X509Certificate(pem).raw.length > 0;
  } catch {
    return false; // somebody wrote something else into the Secret
  }
}

const decode = (base64: string | undefined) =>
  base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');

/** Reads the Secret; `undefined` when a part is missing or no certificate. */
export function readState({ data = {} }: Secret): CertificateState | undefined {
  const pair = (prefix: string): ServingCertificate | undefined => {
    const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => decode(data[`${prefix}${name}`]));
    return isCertificate(ca) && isCertificate(cert) && key ? { ca, cert, key } : undefined;
  };
  const current = pair('');
  const previousCa = decode(data['previous-ca.crt']);
  return current && { current, next: pair('next-'), previousCa: isCertificate(previousCa) ? previousCa : undefined };
}

/** The Secret's `data`, as `kubernetes.io/tls` names it, with the parts of a rotation besides. */
export function writeState({ current, next, previousCa }: CertificateState): Record<string, string> {
  const pair = (prefix: string, { ca, cert, key }: ServingCertificate) => ({
    [`${prefix}ca.crt`]: ca,
    [`${prefix}tls.crt`]: cert,
    [`${prefix}tls.key`]: key,
  });
  const texts = {
    ...pair('', current),
    ...(next && pair('next-', next)),
    ...(previousCa && { 'previous-ca.crt': previousCa }),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));
}
