import { Counter } from 'prom-client';
import { resourceOf } from '../kube/resource.ts';

/** Counts calls to the API server, from before there is anything else to be told of. */
export class KubeCalls {
  readonly counter = new Counter({
    name: 'sluice_kube_calls_total',
    help: 'Calls to the API server, repetitions one by one; status 0: no answer. Watches are not among them.',
    labelNames: ['method', 'resource', 'status'],
    registers: [],
  });

  readonly tried = ({ method, path }: { readonly method: string; readonly path: string }, status: number): void =>
    this.counter.inc({ method, resource: resourceOf(path), status });
}
