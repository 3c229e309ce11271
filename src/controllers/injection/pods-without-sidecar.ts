import { INJECT_ENABLED, INJECT_LABEL, INJECTED_LABEL } from '../../api/names.ts';
import { type Pod, pods } from '../../kube/builtins.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { Informer, type InformerPorts } from '../../kube/informer.ts';
import type { OnBreak } from '../../kube/informer-set.ts';
import { hasSidecar, whyNotInjectable } from './inject-pod.ts';

/** Of the watch, in metrics. */
const NAME = 'pods-without-sidecar';

/** A labelled pod that runs without an evaluator. */
interface Lacking extends Pod {
  /** What its event says; undefined where its author wrote an evaluator of his own. */
  readonly note?: string | undefined;
}

export interface LackingOptions {
  /** A namespace has its first pod without an evaluator, or its last one is gone. */
  readonly wake: (namespace: string) => void;
  readonly onBreak: OnBreak;
  /** Stopped with the watch. */
  readonly recorder: Pick<EventRecorder, 'record' | 'stop'>;
}

/**
 * Labelled pods without evaluator: made while the webhook did not answer, or such as can have none. Only these are watched, since
 * those that got one have another label too; of each no more than its name is kept.
 */
export class PodsWithoutSidecar {
  readonly #informer: Informer<Lacking, 'namespace'>;
  /** Namespaces with such pods, as last told. */
  readonly #told = new Set<string>();
  readonly #recorder: LackingOptions['recorder'];
  #isLeading = false;

  constructor(ports: InformerPorts, { wake, onBreak, recorder }: LackingOptions) {
    this.#recorder = recorder;
    this.#informer = new Informer<Lacking, 'namespace'>(ports, {
      resource: pods,
      labelSelector: `${INJECT_LABEL}=${INJECT_ENABLED},!${INJECTED_LABEL}`,
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
      indexes: { namespace: ({ metadata, note }) => (note === undefined ? [] : [metadata.namespace ?? '']) },
      prune,
      onBreak: (cause) => onBreak(NAME, cause),
    });
    this.#informer.onChange((change) => {
      const pod = change.type === 'deleted' ? change.before : change.after;
      if (pod.note === undefined) return;
      if (change.type === 'added') this.#announce(pod);
      const { namespace = '' } = pod.metadata;
      const isThere = this.countIn(namespace) > 0;
      if (isThere === this.#told.has(namespace)) return;
      this.#told[isThere ? 'add' : 'delete'](namespace);
      wake(namespace);
    });
  }

  start(): void {
    this.#informer.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#informer.stop(), this.#recorder.stop()]);
  }

  /** From now until `follow`: an event on each pod, first on those that are there. */
  lead(): void {
    this.#isLeading = true;
    for (const pod of this.#informer.cache.list()) this.#announce(pod);
  }

  follow(): void {
    this.#isLeading = false;
  }

  #announce(about: Lacking): void {
    const { note } = about;
    if (!this.#isLeading || note === undefined) return;
    this.#recorder.record({ about, type: 'Warning', reason: 'SidecarMissing', action: 'Inject', note });
  }

  countIn(namespace: string): number {
    return this.#informer.cache.byIndex('namespace', namespace).length;
  }

  /** By namespace. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#told].map((namespace) => [namespace, this.countIn(namespace)]));
  }

  /** Seconds since the watch last heard from the API server. */
  watchAges(nowMs: number): { readonly name: string; readonly seconds: number }[] {
    const { lastSeen } = this.#informer;
    return lastSeen === undefined ? [] : [{ name: NAME, seconds: (nowMs - lastSeen) / 1000 }];
  }
}

function prune(pod: Pod): Lacking {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const metadata = { name, namespace, uid, resourceVersion } as Pod['metadata'];
  return { apiVersion: 'v1', kind: 'Pod', metadata, note: noteOn(pod) };
}

function noteOn(pod: Pod): string | undefined {
  if (hasSidecar(pod)) return undefined;
  const why = whyNotInjectable(pod);
  return why === undefined
    ? 'It was made while the webhook did not answer, so it has no evaluator of flags: delete it, and the next one gets it.'
    : `It gets no evaluator of flags, because ${why}.`;
}
