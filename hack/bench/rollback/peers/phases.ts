import { systemClock } from '../../../../src/base/clock.ts';
import { silent } from '../../../../src/base/logger.ts';
import { Informer } from '../../../../src/kube/informer.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { waitFor } from '../../../cluster/wait.ts';
import type { Rig } from '../rig.ts';
import type { Peer } from './peer.ts';

type Progress = KubeObject & { readonly status?: { readonly phase?: string } };

/** Follows `status.phase` of all of a peer's rollouts. */
export class Phases {
  readonly #rig: Rig;
  readonly #peer: Peer;
  readonly #informer: Informer<Progress>;

  constructor(rig: Rig, peer: Peer) {
    this.#rig = rig;
    this.#peer = peer;
    const ports = { client: rig.client, clock: systemClock, random: Math.random, logger: silent };
    this.#informer = new Informer<Progress>(ports, { resource: peer.progress });
    this.#informer.start();
  }

  /** Answers when nothing is going on in any of these: their first version stands, or the last one was taken back. */
  async rest(keys: readonly string[], timeoutMs: number): Promise<void> {
    const missing = () => keys.filter((key) => !this.#peer.restingPhases.includes(this.#phaseOf(key)));
    const what = `rest of every rollout of ${this.#peer.name}`;
    await waitFor(async () => missing().length === 0, { what, timeoutMs, signal: this.#rig.signal }).catch((error) => {
      const [first = ''] = missing();
      throw new Error(`${missing().length} do not rest, as ${first}: ${this.#phaseOf(first)}`, { cause: error });
    });
  }

  async stop(): Promise<void> {
    await this.#informer.stop();
  }

  #phaseOf(key: string): string {
    return this.#informer.cache.getByKey(key)?.status?.phase ?? '';
  }
}
