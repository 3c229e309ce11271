import { generateKeyPairSync, sign } from 'node:crypto';

const ISSUER = 'https://tokens.example';
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A check of tokens for a whole Gateway, and a token that passes it. */
export function tokenCheck(gateway: { readonly namespace: string; readonly name: string }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'ES256', use: 'sig' };
  const signed = `${encoded({ alg: 'ES256', kid: 'test', typ: 'JWT' })}.${encoded({ iss: ISSUER, sub: 'ann', exp: 4_000_000_000 })}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const localJWKS = { type: 'Inline', inline: JSON.stringify({ keys: [key] }) };
  const policy = {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'SecurityPolicy',
    metadata: { namespace: gateway.namespace, name: 'token-check' },
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: gateway.name }],
      jwt: { providers: [{ name: 'test', issuer: ISSUER, localJWKS }] },
    },
  };
  return { policy, token: `${signed}.${signature.toString('base64url')}` };
}
