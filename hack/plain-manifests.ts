import { join } from 'node:path';
import { ensureBinary } from './cluster/binaries.ts';
import { output } from './cluster/command.ts';
import { versions } from './cluster/versions.ts';

export const PLAIN_MANIFESTS = 'config/sluice.yaml';

const HEADER = `# Made from charts/sluice by \`npm run gen\`. Do not edit. For those who do not use Helm:
#   kubectl apply --server-side -f crds/
#   sed 's|sluice/operator:0.1.0|REGISTRY/sluice-operator:TAG|' config/sluice.yaml | kubectl apply -f -
# (there is no published image yet, and it stands in two places).
# Before removing it, delete all Rollouts (kubectl delete rollouts.sluice.dev -A --all) while the operator still runs; after
# it, the rulesets: kubectl delete configmaps -A --field-selector metadata.name=sluice-ruleset
apiVersion: v1
kind: Namespace
metadata:
  name: sluice-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** The chart with its default values, as one file. Builds Helm on a machine that has not got it. */
export async function plainManifests(signal: AbortSignal): Promise<string> {
  const helm = join(await ensureBinary('helm', signal), 'helm');
  const args = [
    'template',
    'sluice',
    'charts/sluice',
    '--namespace',
    'sluice-system',
    '--no-hooks',
    '--kube-version',
    versions.kubernetes,
  ];
  const rendered = await output(helm, args, { signal });
  const text = rendered.replace(/^# Source: .*\n/gm, '').replaceAll('managed-by: Helm', 'managed-by: kubectl');
  return HEADER + text;
}
