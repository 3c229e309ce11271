import { createPublicKey, KeyObject } from 'node:crypto';
import { SluiceError } from '../../base/errors.ts';
import { keyIdOf } from '../../wire/sealed-ruleset.ts';

/** Public keys (PEM, or as Node has them) by their id. Throws SLUICE_SDK_OPTION. */
export function trustedKeys(keys: readonly (string | KeyObject)[]): ReadonlyMap<string, KeyObject> {
  return new Map(keys.map((said) => byId(said)));
}

function byId(said: string | KeyObject): [string, KeyObject] {
  let key: KeyObject;
  try {
    key = said instanceof KeyObject ? said : createPublicKey(said);
  } catch (cause) {
    throw new SluiceError('SLUICE_SDK_OPTION', 'publicKeys holds what is no public key in PEM', {}, cause);
  }
  if (key.type !== 'public' || key.asymmetricKeyType !== 'ed25519') {
    throw new SluiceError('SLUICE_SDK_OPTION', 'publicKeys must hold public keys of Ed25519');
  }
  return [keyIdOf(key), key];
}
