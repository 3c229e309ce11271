import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify as toYaml } from 'yaml';
import { bundle } from '../../build.ts';
import { repositoryDir } from '../../cluster/paths.ts';
import { nodeEnv } from '../../image/node-image.ts';
import { accountKubeconfig } from './account.ts';
import { Child } from './child.ts';
import { freePorts } from './free-ports.ts';
import { type Manifest, type Rig, sluiceCrds } from './rig.ts';

export const OPERATOR_NAMESPACE = 'sluice-system';
/** Who the operator is for the API server: only with its own account does the gate know its writes. */
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:sluice-operator`;
/** What `kubectl apply -f config/sluice.yaml` brings that an operator outside the cluster needs. */
const KINDS = ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];

/** Installs definitions, account and rights as the chart does, and answers a kubeconfig of the operator's account. */
export async function installSluice(rig: Rig): Promise<string> {
  await rig.applyFolder(sluiceCrds, /\.yaml$/);
  const text = readFileSync(join(repositoryDir, 'config/sluice.yaml'), 'utf8');
  const objects: Manifest[] = parseAllDocuments(text).map((document) => document.toJS());
  for (const object of objects.filter(({ kind }) => KINDS.includes(kind))) await rig.apply(object);
  return accountKubeconfig(rig, OPERATOR_NAMESPACE, 'sluice-operator');
}

export interface OperatorOptions {
  readonly kubeconfig: string;
  /** POD_NAME; also the log's name. */
  readonly name: string;
  /** Directory for a CPU profile, written when it ends cleanly. */
  readonly profileDir?: string | undefined;
}

/** The operator's real bundle with default settings and the image's own Node options. The gate asks the last one started. */
export async function startOperator(rig: Rig, { kubeconfig, name, profileDir }: OperatorOptions): Promise<Child> {
  const program = await bundle('operator');
  const [webhook = 0, health = 0, metrics = 0, rulesets = 0] = await freePorts(4);
  const config = join(rig.dir, 'operator.yaml');
  writeFileSync(config, toYaml({ prometheus: { address: rig.prometheus.address } }));
  await pointGateAt(rig, webhook);
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  return Child.start(process.execPath, [...profile, program, 'run', '--config', config], {
    env: {
      KUBECONFIG: kubeconfig,
      POD_NAME: name,
      POD_NAMESPACE: OPERATOR_NAMESPACE,
      WEBHOOK_PORT: `${webhook}`,
      HEALTH_PORT: `${health}`,
      METRICS_PORT: `${metrics}`,
      RULESETS_PORT: `${rulesets}`,
      ...nodeEnv,
    },
    logFile: join(rig.dir, `${name}.log`),
    isReady: async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok,
    readyWithinMs: 60_000,
    signal: rig.signal,
  });
}

/** The gate's configuration with its Service as a name of this machine, where no Service has endpoints on loopback. */
async function pointGateAt(rig: Rig, port: number): Promise<void> {
  await rig.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: OPERATOR_NAMESPACE, name: 'sluice-webhook' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ name: 'webhook', port }] },
  });
  const text = readFileSync(join(repositoryDir, 'config/sluice.yaml'), 'utf8');
  const gate: Manifest = parseAllDocuments(text)
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  for (const webhook of gate.webhooks) webhook.clientConfig.service.port = port;
  await rig.apply(gate);
}
