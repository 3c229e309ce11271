import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Ruleset } from '../../src/wire/ruleset.ts';
import { keyIdOf, type SigningKey, sealRuleset } from '../../src/wire/sealed-ruleset.ts';
import { type HostileServer, startHttp } from './hostile-server.ts';

/** A key of an installation, with its public part. */
export function signingKey(): { key: SigningKey; publicKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { key: { id: keyIdOf(publicKey), privateKey }, publicKey };
}

/** An evaluator that says what the test wants it to. */
export interface BundleServer extends HostileServer {
  /** Serves this from now on: a ruleset, sealed with the key where there is one; or by hand. */
  serve(what: Ruleset | ((response: ServerResponse) => void), key?: SigningKey): void;
  /** How often the bundle was asked for. */
  asked(): number;
}

export async function startBundleServer(): Promise<BundleServer> {
  let respond = (response: ServerResponse): void => void response.writeHead(500).end();
  const server = await startHttp((response, { path }) => {
    if (path === '/config-bundle') respond(response);
    else response.writeHead(404).end(); // no event stream: changes are found by polling
  });
  onTestFinished(() => server.close());
  return {
    ...server,
    asked: () => server.requests.filter(({ path }) => path === '/config-bundle').length,
    serve(what, key) {
      if (typeof what === 'function') respond = what;
      else {
        const sealed = sealRuleset(what, key);
        respond = (response) => {
          response.writeHead(200, { 'content-type': 'application/json', etag: `"${sealed.digest}"` });
          response.end(JSON.stringify(sealed));
        };
      }
    },
  };
}
