import { configMaps } from '../../kube/builtins.ts';
import type { Change } from '../../kube/cache.ts';
import { Informer, type InformerPorts } from '../../kube/informer.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { SNAPSHOT_NAME } from '../../wire/snapshot.ts';
import { type FlagSources, featureFlagsResource } from './sources.ts';

/** Both watches of the FeatureFlag controller. A change wakes its namespace: the unit that is published. */
export class FlagInformers {
  readonly sources: FlagSources;
  readonly #all: readonly { readonly name: string; readonly informer: Informer<KubeObject, string> }[];

  constructor(
    ports: InformerPorts,
    wake: (namespace: string) => void,
    onBreak: (name: string, cause: 'expired' | 'failed' | 'silent') => void,
  ) {
    const flags = new Informer(ports, {
      resource: featureFlagsResource,
      indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
      onBreak: (cause) => onBreak('featureflags', cause),
    });
    const snapshots = new Informer(ports, {
      resource: configMaps,
      // The operator may read no other ConfigMap.
      fieldSelector: `metadata.name=${SNAPSHOT_NAME}`,
      onBreak: (cause) => onBreak('configmaps', cause),
    });
    const tell = (change: Change<KubeObject>) => {
      const { metadata } = change.type === 'deleted' ? change.before : change.after;
      wake(metadata.namespace ?? '');
    };
    flags.onChange(tell);
    snapshots.onChange(tell);
    this.sources = { flags: flags.cache, snapshots: snapshots.cache };
    this.#all = [
      { name: 'featureflags', informer: flags as unknown as Informer<KubeObject, string> },
      { name: 'configmaps', informer: snapshots as unknown as Informer<KubeObject, string> },
    ];
  }

  start(): void {
    for (const { informer } of this.#all) informer.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ informer }) => informer.stop()));
  }

  get synced(): Promise<unknown> {
    return Promise.all(this.#all.map(({ informer }) => informer.synced));
  }

  /** Seconds since each watch last heard from the API server. */
  watchAges(nowMs: number): { readonly name: string; readonly seconds: number }[] {
    return this.#all.flatMap(({ name, informer }) =>
      informer.lastSeen === undefined ? [] : [{ name, seconds: (nowMs - informer.lastSeen) / 1000 }],
    );
  }
}
