import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { SluiceError } from '../../base/errors.ts';
import { type Secret, secrets } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/kube-error.ts';
import { keyIdOf, type SigningKey } from '../../wire/sealed-ruleset.ts';

/** Name of the Secret in the operator's namespace. Keep it in backups: without it units get other hashes in events. */
export const INSTALLATION_SECRET = 'sluice-installation';

/** What all rulesets of this installation have in common. */
export interface Installation {
  readonly signingKey: SigningKey;
  /** What evaluators check signatures with. */
  readonly publicKey: KeyObject;
  /** Salt of the hashes of units in events. Never rotated. */
  readonly unitHashSalt: string;
}

/**
 * Reads the Secret, and makes it if there is none. Two that make it at a time end with the same one. Throws
 * SLUICE_INSTALLATION_SECRET for a Secret that cannot be used; it is never overwritten.
 */
export async function loadInstallation(
  client: Pick<KubeClient, 'get' | 'create'>,
  namespace: string,
  signal: AbortSignal,
): Promise<Installation> {
  const ref = { namespace, name: INSTALLATION_SECRET };
  const found = await client.get(secrets, ref, { signal });
  if (found) return installationIn(found);
  try {
    return installationIn(await client.create(secrets, newSecret(namespace), { signal }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const theirs = await client.get(secrets, ref, { signal });
    if (!theirs) throw error;
    return installationIn(theirs);
  }
}

export const pemOf = (publicKey: KeyObject): string => publicKey.export({ type: 'spki', format: 'pem' }).toString();

function newSecret(namespace: string): Secret {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const data = {
    'signing-key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'public-key.pem': pemOf(publicKey),
    'unit-hash-salt': randomBytes(16).toString('hex'),
  };
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { namespace, name: INSTALLATION_SECRET, labels: { 'app.kubernetes.io/managed-by': 'sluice' } },
    data: Object.fromEntries(encoded),
  };
}

function installationIn({ data }: Secret): Installation {
  const text = (name: string) => Buffer.from(data?.[name] ?? '', 'base64').toString('utf8');
  const unitHashSalt = text('unit-hash-salt');
  const privateKey = privateKeyIn(text('signing-key.pem'));
  if (privateKey === undefined || unitHashSalt === '') {
    throw new SluiceError(
      'SLUICE_INSTALLATION_SECRET',
      `the Secret ${INSTALLATION_SECRET} lacks an Ed25519 key in signing-key.pem, or unit-hash-salt`,
    );
  }
  const publicKey = createPublicKey(privateKey);
  return { signingKey: { id: keyIdOf(publicKey), privateKey }, publicKey, unitHashSalt };
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined; // the reason could quote the key
  }
}
