import type { DurationMs } from '../base/units.ts';
import { admitFlag } from '../controllers/feature-flag/admit.ts';
import type { FlagInformers } from '../controllers/feature-flag/informers.ts';
import { admitPod } from '../controllers/injection/admit-pod.ts';
import { GATE, RULESETS_SERVICE } from '../controllers/installation.ts';
import { admitDeployment } from '../controllers/rollout/gate.ts';
import type { RolloutInformers } from '../controllers/rollout/informers.ts';
import { CertificateKeeper, type KeeperOptions } from '../kube/certificate-keeper.ts';
import { type Admit, WebhookServer } from '../kube/webhook-server.ts';
import { RulesetClaims } from './ruleset-claims.ts';
import type { Surroundings } from './surroundings.ts';

const CERTIFICATE_LIFETIME_MS = (90 * 86_400_000) as DurationMs;
/** The kubelets of all nodes bring a changed ConfigMap within about two minutes. */
const CERTIFICATE_SETTLE_MS = 600_000 as DurationMs;

/** The webhook that holds Deployments and judges flags, and who keeps its certificate: one for all that is served by TLS. */
export function makeGate(
  at: Surroundings & { readonly signal: AbortSignal },
  rollouts: RolloutInformers,
  flags: FlagInformers,
  told: Pick<KeeperOptions, 'onCertificate' | 'onAuthorities'>,
): { readonly webhook: WebhookServer; readonly keeper: CertificateKeeper; readonly operatorUser: string } {
  const { clock, namespace, signal } = at;
  const hostOf = (service: string) => `${service}.${namespace}.svc`;
  const operatorUser = `system:serviceaccount:${namespace}:sluice-operator`;
  const webhook = new WebhookServer(at, {
    host: '0.0.0.0',
    port: Number(process.env.WEBHOOK_PORT ?? 9443),
    routes: {
      '/gate': admitDeployment(rollouts.sources, operatorUser),
      '/flags': admitFlag(flags.sources, clock),
      ...injectionRoute(at, flags.sources, signal),
    },
  });
  const keeper = new CertificateKeeper(at, {
    namespace,
    secretName: 'sluice-webhook-certificates',
    webhookConfigurationName: GATE,
    // The same whether the API is on or not: switching it on must not wait for another certificate. By `localhost` for those who
    // come by a forwarded port.
    hosts: [hostOf('sluice-webhook'), hostOf('sluice-api'), hostOf(RULESETS_SERVICE.name), 'localhost'],
    lifetimeMs: CERTIFICATE_LIFETIME_MS,
    settleMs: CERTIFICATE_SETTLE_MS,
    onCertificate: (pair) => {
      webhook.reload(pair);
      told.onCertificate(pair);
    },
    onAuthorities: told.onAuthorities,
  });
  return { webhook, keeper, operatorUser };
}

/** Labelled pods get an evaluator where the configuration names its image. */
function injectionRoute(
  { client, logger, config, namespace }: Surroundings,
  { snapshots }: FlagInformers['sources'],
  signal: AbortSignal,
): Record<string, Admit> {
  const { image, ...settings } = config.injection;
  if (image === undefined) return {};
  const operator = `https://${RULESETS_SERVICE.name}.${namespace}.svc:${RULESETS_SERVICE.port}`;
  const claims = new RulesetClaims({ client, logger, snapshots }, signal);
  return { '/inject': admitPod({ ...settings, image, operator }, (namespace) => claims.add(namespace)) };
}
