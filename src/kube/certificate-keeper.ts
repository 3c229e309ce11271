import { type EpochMs, unreachable } from '../base/units.ts';
import { type MutatingWebhookConfiguration, mutatingWebhookConfigurations, type Secret, secrets } from './builtins.ts';
import {
  afterSwitch,
  bundleOf,
  type CertificateState,
  nextRotationStep,
  type RotationRules,
  readState,
  writeState,
} from './certificate-rotation.ts';
import { issueServingCertificate, type ServingCertificate } from './certificates.ts';
import { Informer, type InformerPorts } from './informer.ts';
import { pointer } from './json-patch.ts';
import { isAlreadyExists } from './kube-error.ts';
import type { TlsPair } from './webhook-server.ts';
import { Worker } from './worker.ts';

/** Clocks of API servers may be behind ours. */
const BACKDATE_MS = 3_600_000;
const KEY = 'certificates';

export interface KeeperOptions extends RotationRules {
  readonly namespace: string;
  readonly secretName: string;
  /** The one MutatingWebhookConfiguration whose `caBundle`s are kept; nothing else of it is touched. */
  readonly webhookConfigurationName: string;
  /** Called with the first certificate and with each one that follows it: give it to the server. */
  readonly onCertificate: (pair: TlsPair) => void;
  /** Called with the authorities to trust (PEM), first and whenever they change, well before anything is served under a new one. */
  readonly onAuthorities: (bundle: string) => void;
}

/**
 * Keeps the serving certificate of all replicas in one Secret, replaces it before it runs out, and the authorities that the
 * API server trusts in step with it. Every replica runs one; preconditions make the first to write win. Idle, it makes no
 * call but its two watches.
 */
export class CertificateKeeper {
  /** Resolves with the first certificate; rejects when stopped before. */
  readonly ready: Promise<TlsPair>;
  readonly #ports: InformerPorts;
  readonly #options: KeeperOptions;
  readonly #secrets: Informer<Secret>;
  readonly #configurations: Informer<MutatingWebhookConfiguration>;
  readonly #worker: Worker;
  readonly #first = Promise.withResolvers<TlsPair>();
  #served = '';
  #told = '';
  #settled: { readonly bundle: string; readonly since: EpochMs } | undefined;

  constructor(ports: InformerPorts, options: KeeperOptions) {
    this.#ports = ports;
    this.#options = options;
    this.ready = this.#first.promise;
    this.ready.catch(() => {}); // stopping before is no unhandled rejection
    const { namespace, secretName, webhookConfigurationName } = options;
    const only = (name: string) => ({ fieldSelector: `metadata.name=${name}` });
    this.#secrets = new Informer(ports, { resource: secrets, namespace, ...only(secretName) });
    const configuration = { resource: mutatingWebhookConfigurations, ...only(webhookConfigurationName) };
    this.#configurations = new Informer(ports, configuration);
    const reconcile = (_key: string, signal: AbortSignal) => this.#pass(signal);
    this.#worker = new Worker(ports, { name: KEY, reconcile, concurrency: 1 });
    this.#secrets.onChange(() => this.#worker.add(KEY));
    this.#configurations.onChange(() => this.#worker.add(KEY));
  }

  start(): void {
    this.#secrets.start();
    this.#configurations.start();
    const begin = () => {
      this.#worker.add(KEY);
      this.#worker.start();
    };
    Promise.all([this.#secrets.synced, this.#configurations.synced]).then(begin, () => {}); // stopped before
  }

  async stop(): Promise<void> {
    this.#first.reject(new Error('the keeper of certificates was stopped'));
    await Promise.all([this.#worker.stop(), this.#secrets.stop(), this.#configurations.stop()]);
  }

  async #pass(signal: AbortSignal): Promise<{ at?: EpochMs }> {
    const now = this.#ports.clock.now();
    const secret = this.#secrets.cache.getByKey(`${this.#options.namespace}/${this.#options.secretName}`);
    const state = secret && readState(secret);
    const step = nextRotationStep(state, state && this.#settledSince(state, now), this.#options, now);
    // An unusable certificate is neither served nor trusted.
    if (state && step.do !== 'issue') {
      this.#tell(bundleOf(state));
      this.#serve(state);
      await this.#trust(bundleOf(state), signal);
    }
    switch (step.do) {
      case 'wait':
        return { at: step.until };
      case 'issue':
        await this.#write(secret, { current: this.#issue(now) }, signal);
        break;
      case 'prepare':
        await this.#write(secret, { ...(state as CertificateState), next: this.#issue(now) }, signal);
        break;
      case 'switch':
        await this.#write(secret, afterSwitch(state as CertificateState), signal);
        break;
      case 'forget':
        await this.#write(secret, { current: (state as CertificateState).current }, signal);
        break;
      default:
        unreachable(step);
    }
    return {}; // the Secret's own event brings the next pass
  }

  #tell(bundle: string): void {
    if (this.#told === bundle) return;
    this.#told = bundle;
    this.#options.onAuthorities(bundle);
  }

  #serve({ current }: CertificateState): void {
    if (this.#served === current.cert) return;
    const pair = { cert: current.cert, key: current.key };
    this.#options.onCertificate(pair);
    this.#served = current.cert;
    this.#first.resolve(pair);
    this.#ports.logger.info({ secret: this.#options.secretName }, 'serving a new certificate');
  }

  /** Since when this process has seen the bundle of `state` in place. Without a configuration nobody needs to trust anything. */
  #settledSince(state: CertificateState, now: EpochMs): EpochMs | undefined {
    const bundle = bundleOf(state);
    const configuration = this.#configuration();
    const inPlace = configuration?.webhooks?.every((hook) => hook.clientConfig.caBundle === toBase64(bundle)) ?? true;
    if (!inPlace) this.#settled = undefined;
    else if (this.#settled?.bundle !== bundle) this.#settled = { bundle, since: now };
    return this.#settled?.since;
  }

  #configuration(): MutatingWebhookConfiguration | undefined {
    return this.#configurations.cache.getByKey(this.#options.webhookConfigurationName);
  }

  async #trust(bundle: string, signal: AbortSignal): Promise<void> {
    const configuration = this.#configuration();
    const value = toBase64(bundle);
    const json = (configuration?.webhooks ?? []).flatMap((hook, i) =>
      hook.clientConfig.caBundle === value
        ? []
        : [{ op: 'add', path: pointer('webhooks', i, 'clientConfig', 'caBundle'), value } as const],
    );
    if (!configuration || json.length === 0) return;
    const { uid, resourceVersion } = configuration.metadata;
    const options = { signal, preconditions: { uid, resourceVersion } };
    await this.#ports.client.patch(mutatingWebhookConfigurations, configuration.metadata, { json }, options);
  }

  #issue(now: EpochMs): ServingCertificate {
    const { hosts, lifetimeMs } = this.#options;
    const notBefore = new Date(now - BACKDATE_MS);
    return issueServingCertificate({ hosts, notBefore, notAfter: new Date(now + lifetimeMs) });
  }

  async #write(before: Secret | undefined, state: CertificateState, signal: AbortSignal): Promise<void> {
    const { namespace, secretName } = this.#options;
    const metadata = before?.metadata ?? { namespace, name: secretName };
    const type = before?.type ?? 'kubernetes.io/tls';
    const secret: Secret = { apiVersion: 'v1', kind: 'Secret', type, metadata, data: writeState(state) };
    if (before) {
      await this.#ports.client.replace(secrets, secret, { signal });
      return;
    }
    await this.#ports.client.create(secrets, secret, { signal }).catch((error) => {
      if (!isAlreadyExists(error)) throw error; // another replica was faster: its event brings the next pass
    });
  }
}

const toBase64 = (text: string): string => Buffer.from(text).toString('base64');
