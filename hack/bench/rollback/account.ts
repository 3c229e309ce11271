import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Rig } from './rig.ts';

/**
 * A kubeconfig file with which a contender acts as its own service account: an administrator would be exempt from the API
 * server's priority and fairness.
 */
export async function accountKubeconfig(
  { client, kubeConfig, signal, dir }: Rig,
  namespace: string,
  serviceAccount: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } };
  const answer = (await client.raw({ method: 'POST', path, body }, { signal })) as { status: { token: string } };
  const { server, caFile, caData } = kubeConfig.getCurrentCluster() ?? {};
  const authority = caFile ? { 'certificate-authority': caFile } : { 'certificate-authority-data': caData };
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server, ...authority } }],
    users: [{ name: 'bench', user: { token: answer.status.token } }],
  };
  const file = join(dir, `${serviceAccount}.kubeconfig`);
  writeFileSync(file, stringify(content), { mode: 0o600 });
  return file;
}
