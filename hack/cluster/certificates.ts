import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './command.ts';

export interface CertificateRequest {
  /** File name without ending: `<name>.crt` and `<name>.key` are written. */
  readonly name: string;
  /** The authority that signs, by file name. */
  readonly authority: string;
  /** As openssl writes it: `/O=system:masters/CN=admin`. */
  readonly subject: string;
  readonly usage: 'serverAuth' | 'clientAuth';
  /** As openssl writes them: `DNS:localhost`, `IP:127.0.0.1`. */
  readonly altNames?: readonly string[];
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'];
// openssl's own configuration would add "may sign others" to every certificate.
const plainConfig = '[req]\ndistinguished_name=names\n[names]\n';

/**
 * Makes a folder of keys and certificates once: `make` fills a neighbour that takes the folder's place when it is
 * complete, so that a crash half-way leaves nothing that looks finished. Readable by its owner only.
 */
export async function ensurePki(dir: string, make: (dir: string) => Promise<void>): Promise<void> {
  if (existsSync(dir)) return;
  const unfinished = `${dir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await make(unfinished);
  renameSync(unfinished, dir);
}

/** Makes a self-signed authority `<name>.crt` and `<name>.key`. */
export async function makeAuthority(dir: string, name: string, signal: AbortSignal): Promise<void> {
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  await openssl(dir, [...newKey, ...files(name), '-subj', `/CN=${name}`, ...addExtensions(extensions)], signal);
}

export async function makeCertificate(dir: string, request: CertificateRequest, signal: AbortSignal): Promise<void> {
  const { name, authority, subject, usage, altNames = [] } = request;
  const extensions = ['keyUsage=digitalSignature', `extendedKeyUsage=${usage}`];
  if (altNames.length > 0) extensions.push(`subjectAltName=${altNames.join(',')}`);
  const signedBy = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`];
  await openssl(dir, [...newKey, ...files(name), ...signedBy, '-subj', subject, ...addExtensions(extensions)], signal);
}

/** Makes the key pair `sa.key`, `sa.pub` that signs the tokens of service accounts. */
export async function makeServiceAccountKey(dir: string, signal: AbortSignal): Promise<void> {
  const options = { cwd: dir, signal };
  await output(
    'openssl',
    ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'sa.key'],
    options,
  );
  await output('openssl', ['pkey', '-in', 'sa.key', '-pubout', '-out', 'sa.pub'], options);
}

/** Writes `<user>.kubeconfig`: that user's certificate, and where the server is. */
export function writeKubeconfig(dir: string, user: string, server: string): void {
  const base64 = (file: string) => readFileSync(join(dir, file)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sluice', cluster: { server, 'certificate-authority-data': base64('ca.crt') } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(`${user}.crt`), 'client-key-data': base64(`${user}.key`) },
      },
    ],
    contexts: [{ name: 'sluice', context: { cluster: 'sluice', user } }],
    'current-context': 'sluice',
  };
  // JSON is YAML: every reader of kubeconfigs takes it.
  writeFileSync(join(dir, `${user}.kubeconfig`), `${JSON.stringify(config, null, 1)}\n`, { mode: 0o600 });
}

const files = (name: string) => ['-keyout', `${name}.key`, '-out', `${name}.crt`];
const addExtensions = (extensions: readonly string[]) => extensions.flatMap((one) => ['-addext', one]);

async function openssl(dir: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const config = join(dir, 'plain.cnf');
  writeFileSync(config, plainConfig);
  await output('openssl', ['req', '-x509', '-config', config, ...args], { cwd: dir, signal });
}
